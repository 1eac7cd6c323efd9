#!/usr/bin/env python3
"""Inputs that cost far more than their size: nested archives, runs of zeros, a million names, password hashes that
would take hours. Each must end in bounded time and memory, and the report must say what was left out."""
import gzip
import io
import pathlib
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runner import *  # noqa: E402, F403

GIB = 1 << 30


def gzip_zeros(size):
    """A gzip stream of `size` zeros, in members of 64 MiB."""
    return gzip.compress(bytes(64 << 20), 9, mtime=0) * (size >> 26)


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def has_limit(found):
    return any(p["fault"] == "limit" for p in found["facts"]["problems"])


def test_zip_in_zip_forty_deep():
    content = b"the bottom\n"
    for level in range(40):
        content = zip_of([(f"{level}.zip", content)])
    pathlib.Path("in.zip").write_bytes(content)
    found = report("in.zip", "--no-store", status=4)
    check(has_limit(found), "the report does not say that nesting was cut")


def test_zip_of_zips_wide():
    content = bytes(1 << 20)
    for level in range(4):  # 16 members a level, all different: 64 GiB at the bottom
        content = zip_of([(f"{n}.zip", content + bytes([n, level])) for n in range(16)])
    pathlib.Path("in.zip").write_bytes(content)
    done = assay("inspect", "in.zip", "--no-store", timeout=100)
    check(done.status in (0, 1, 4), f"exit {done.status}: {done.err}")
    check(peak_memory() < 4 * GIB, f"{peak_memory()} bytes resident")
    print(f"{len(content)} bytes, exit {done.status}, {done.seconds:.0f} s, {peak_memory() >> 20} MiB")


def test_gzip_of_gzip_of_zeros():
    pathlib.Path("in.gz").write_bytes(gzip.compress(gzip_zeros(GIB // 4), 9, mtime=0))
    found = report("in.gz", "--no-store", "--workers", "1")
    check(found["input"]["size"] < 20_000, "the bomb is not small")
    check(peak_memory() < 2.5 * GIB, f"{peak_memory()} bytes resident")


def test_gzip_of_zeros_beyond_the_budget():
    pathlib.Path("in.gz").write_bytes(gzip_zeros(9 * GIB // 4))
    found = report("in.gz", "--no-store", "--workers", "1", status=4)
    check(has_limit(found), "the report does not name the budget")
    check(peak_memory() < 3 * GIB, f"{peak_memory()} bytes resident")


def test_squashfs_of_zeros():
    need("mksquashfs")
    shell("mkdir root; truncate -s 512M root/sparse; mksquashfs root sparse.sqfs -quiet -no-progress >/dev/null")
    shell("rm root/sparse; dd if=/dev/zero of=root/full bs=1M count=192 status=none; "
          "mksquashfs root full.sqfs -quiet -no-progress -no-sparse >/dev/null; rm root/full")
    for image in ("sparse.sqfs", "full.sqfs"):
        done = assay("ls", image, "--no-store")
        check(done.status in (0, 4), f"{image}: exit {done.status}: {done.err}")
        check(done.status == 4 or "536870912" in done.out or "201326592" in done.out, done.out)
    check(peak_memory() < 3 * GIB, f"{peak_memory()} bytes resident")


def test_a_million_files():
    with open("in.cpio", "wb") as out:
        for n in range(1_000_000):
            name = b"f%07d" % n
            fields = (n + 1, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name) + 1, 0)
            out.write(b"070701" + b"%08x" * 13 % fields + name + bytes(1 + (-(110 + len(name) + 1)) % 4))
        out.write(b"070701" + b"%08x" * 13 % (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0) + b"TRAILER!!!" + bytes(4))
    done = assay("inspect", "in.cpio", "--no-store", "--json", "out.json", timeout=150)
    check(done.status in (0, 1, 4), f"exit {done.status}: {done.err}")
    check(done.status == 4 or "1000000 of 1000000 files read" in done.out, done.out)
    print(f"exit {done.status}, {done.seconds:.0f} s, {peak_memory() >> 20} MiB")
    check(peak_memory() < 4 * GIB, f"{peak_memory()} bytes resident")


def test_hashes_that_take_hours():
    lines = ("root:$6$rounds=999999999$saltsalt$" + "a" * 86, "bcrypt:$2b$31$" + "a" * 53,
             "yes:$y$jFT$saltsaltsaltsalt$" + "a" * 43, "sha:$5$rounds=999999999$salt$" + "b" * 43,
             "scrypt:$7$zzzzzzzzzzz$salt$" + "a" * 43, "gost:$gy$jzz$salt$" + "a" * 43,
             "sha1:$sha1$4294967295$salt$" + "a" * 28, "bsdi:_zzzzsalt" + "a" * 11,
             *(f"u{n}:$6$rounds=200000$salt{n}$" + "a" * 86 for n in range(500)))
    with tarfile.open("in.tar", "w") as tar:
        for name, text in (("etc/passwd", "root:x:0:0::/:/bin/sh\n"), ("etc/shadow", ":1::::::\n".join(lines) + ":\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    done = assay("inspect", "in.tar", "--no-store", "--as-of", "2024-01-01", "--json", "-", timeout=60)
    check(done.status in (0, 1, 4), f"exit {done.status}: {done.err}")
    check(SANITIZED or done.seconds < 30, f"{done.seconds:.0f} seconds")
    accounts = {a["name"]: a for a in done.json()["facts"]["accounts"] if a["source"] == "shadow"}
    for name in ("root", "bcrypt", "sha"):
        check(name in accounts and accounts[name]["not_tried"], f"{name}: {accounts.get(name)}")
    check("999999999" in accounts["root"]["not_tried"], accounts["root"]["not_tried"])


sys.exit(main())
