#!/usr/bin/env python3
"""Names, links and lengths that lie: nothing is written outside what the user asked for, links that loop end, and every
byte of the input stays in the account."""
import io
import os
import pathlib
import struct
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runner import *  # noqa: E402, F403


def listing(folder):
    found = []
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            at = os.lstat(os.path.join(base, name))
            found.append((os.path.join(base, name), at.st_mode, at.st_size, at.st_mtime_ns))
    return sorted(found)


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, link in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, link, 0o644
            content = b"" if link else b"evil\n"
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def cpio_of(names):
    out = b""
    for name, content in [*((n, b"evil\n") for n in names), ("TRAILER!!!", b"")]:
        raw = name.encode() + b"\0"
        fields = (1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"%08x" * 13 % fields + raw
        out += bytes(-len(out) % 4) + content
        out += bytes(-len(out) % 4)
    return out


def climbing(folder):
    outside = os.path.join(os.getcwd(), "outside")
    return [outside + "/absolute", "../outside/up", "a/../../outside/inside", "./../outside/dot", "..", "/", "../",
            "outside\0hidden", "//" + outside[1:] + "/slashes", folder + "/../outside/x", "-o", "a\nb", "\x1b[2J"]


def test_names_that_climb_write_nothing():
    os.mkdir("outside"), os.mkdir("work")
    names = climbing("work")
    pathlib.Path("work/in.tar").write_bytes(
        tar_of([*((n, tarfile.REGTYPE, "") for n in names if "\0" not in n), ("link", tarfile.SYMTYPE, "../outside"),
                ("link/through", tarfile.REGTYPE, ""), ("hard", tarfile.LNKTYPE, "/etc/passwd")]))
    pathlib.Path("work/in.cpio").write_bytes(cpio_of(names))
    with zipfile.ZipFile("work/in.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "evil\n")
    os.chdir("work")
    before = listing(".."), listing("/tmp/evil") if os.path.exists("/tmp/evil") else []
    for image in ("in.tar", "in.cpio", "in.zip"):
        for arguments in (["inspect", image], ["ls", image], ["cat", image, "up"], ["export", image, "-o", "-"],
                          ["show", image, "x"]):
            done = assay(*arguments, "--no-store")
            check(done.status in (0, 1, 2, 3, 4), f"{arguments}: exit {done.status}: {done.err}")
            if arguments[0] == "ls":
                check("evil" not in done.out and "\x1b" not in done.out, "control bytes reach the terminal: " + done.out)
                check(len(done.out.splitlines()) >= 8, done.out)
    after = listing(".."), listing("/tmp/evil") if os.path.exists("/tmp/evil") else []
    check_same(before[0], after[0], "something was written")
    check_same(before[1], after[1], "something was written")


def test_links_that_loop():
    links = [("a", "b"), ("b", "a"), ("self", "self"), ("bin", "usr/bin"), ("usr/bin", "../bin"), ("etc", "."),
             ("deep0", "deep0/x"), ("etc/passwd", "../etc/passwd"), ("sbin/init", "/sbin/init"), ("bin/sh", "/bin/sh"),
             *((f"chain{n}", f"chain{n + 1}") for n in range(1000)), ("up", "../../../../.."), ("empty", "")]
    members = [(name, tarfile.SYMTYPE, target) for name, target in links]
    members += [("h1", tarfile.LNKTYPE, "h2"), ("h2", tarfile.LNKTYPE, "h1"), ("h3", tarfile.LNKTYPE, "h3")]
    members += [("etc/inittab", tarfile.REGTYPE, ""), ("etc/init.d/rcS", tarfile.REGTYPE, "")]
    pathlib.Path("in.tar").write_bytes(tar_of(members))
    report("in.tar", "--no-store", timeout=20)
    os.makedirs("tree/etc")
    os.symlink("..", "tree/etc/up"), os.symlink("/", "tree/root"), os.symlink("loop", "tree/loop")
    found = report("tree", "--no-store", timeout=20)
    check(len(found["artifacts"]) == 5, f"a link was followed: {found['artifacts']}")


def test_scripts_that_start_each_other():
    with tarfile.open("in.tar", "w") as tar:
        def add(name, text):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
        add("etc/inittab", "::sysinit:/etc/init.d/rcS\n")
        add("etc/init.d/rcS", "#!/bin/sh\n. /etc/a\n/etc/b\nexec /etc/init.d/rcS\n" + "eval " * 2000 + "\n")
        add("etc/a", "#!/bin/sh\n. /etc/b\n" + "$(" * 3000 + "\n" + "x=$x$x$x$x$x$x\n" * 100)
        add("etc/b", "#!/bin/sh\n. /etc/a\n/etc/a & /etc/b\n" + "if true; then " * 3000 + "f() { f; f; }\nf\n")
        for n in range(60):  # each starts two: 2^60 ways through
            add(f"etc/fork{n}", f"#!/bin/sh\n/etc/fork{n + 1}\n/etc/fork{n + 1}\n. /etc/fork{n + 1}\n")
        add("etc/rc.local", "#!/bin/sh\n/etc/fork0\n")
        add("etc/init.d/S99", "#!/bin/sh\nfor a in 1 2 3 4 5 6 7 8 9; do " * 30 + "echo $a; " + "done; " * 30)
    report("in.tar", "--no-store", timeout=30)


def accounts_for_all(name, bytes_):
    pathlib.Path(name).write_bytes(bytes_)
    found = report(name, "--no-store", timeout=30)
    counted = found["coverage"]["bytes"]
    total = sum(counted[kind] for kind in ("header", "content", "padding", "unknown", "encrypted"))
    check(total == counted["total"] == len(bytes_), f"{name}: {counted}")


def trx(length, offsets, body):
    rest = struct.pack("<HHIII", 0, 1, *offsets) + body
    return b"HDR0" + struct.pack("<II", length or 12 + len(rest), zlib.crc32(rest) ^ 0xffffffff) + rest


def uimage(size, kind, body):
    header = struct.pack(">IIIIIIIBBBB32s", 0x27051956, 0, 0, size, 0, 0, zlib.crc32(body[:size]), 5, 5, kind, 0, b"x")
    header = header[:4] + struct.pack(">I", zlib.crc32(header)) + header[8:]
    return header + body


def test_partitions_that_overlap_and_lengths_that_lie():
    body = tar_of([("file", tarfile.REGTYPE, "")]) + bytes(range(256)) * 8
    for n, offsets in enumerate([(28, 28, 28), (28, 40, 30), (28, 0xfffffff0, 12), (0, 0, 0), (1, 2, 3), (27, 28, 29),
                                 (28, len(body), len(body) + 28), (12, 28, 2**31)]):
        accounts_for_all(f"offsets{n}.trx", trx(0, offsets, body))
    for n, length in enumerate([1, 27, 28, 100, 2**31, 2**32 - 1]):
        accounts_for_all(f"length{n}.trx", trx(length, (28, 1000, 2000), body))
    for n, size in enumerate([0, 1, len(body), len(body) + 1, 2**31, 2**32 - 1]):
        accounts_for_all(f"size{n}.uimage", uimage(size, 2, body))
    parts = struct.pack(">IIII", 100, 2**32 - 100, 50, 0) + body
    accounts_for_all("parts.uimage", uimage(len(parts), 4, parts))
    for n, size in enumerate(("77777777777", "-0000000001", "80000000000", "\xff" * 11)):
        tar = bytearray(tar_of([("file", tarfile.REGTYPE, "")]))
        tar[124:135] = size.encode("latin1")
        tar[148:156] = b" " * 8
        tar[148:156] = b"%06o\0 " % sum(tar[:512])
        accounts_for_all(f"size{n}.tar", bytes(tar))
    for n, field in enumerate((6, 11)):
        cpio = bytearray(cpio_of(["file"]))
        cpio[6 + 8 * field:14 + 8 * field] = b"ffffffff"
        accounts_for_all(f"field{n}.cpio", bytes(cpio))


sys.exit(main())
