#!/usr/bin/env python3
"""No verdict depends on a maker's or a product's name: file systems of real images, and a made one, are examined twice,
the second time with every such name replaced in paths, contents and declaration; all verdicts must be the same.

What an image's own headers say of its maker is replaced at the level of facts in fairness_test.cc, because a header's
checksum would not survive a change of its bytes. FAIRNESS=all takes every real image (./dev bench fairness).
Run as `fairness_test.py test_NAME ASSAY`."""
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

SHARED = pathlib.Path(__file__).resolve().parents[2].parent / "shared"
FEW = ["dlink-dir300-b5.bin"]
POLICIES = ["scas-33117-firmware", "consumer-cpe"]
# Five letters at least: shorter ones stand in machine code by chance.
NAMES = """tp-link tplink d-link dlink netgear linksys openwrt hi-link hilink sannce broadcom atheros qualcomm ralink
mediatek realtek lantiq marvell huawei belkin cisco mercury tenda xiaomi zyxel asustek kamikaze wrt54g wrt54gl wr703n
wr841n tl-wr703n tl-wr841n wnr2000 wnr2000v5 dir-300 dir300 hlk-rm04 rm04v v2801 v2801f librarybox piratebox""".split()
PATTERN = re.compile(b"|".join(re.escape(n.encode()) for n in sorted(NAMES, key=len, reverse=True)), re.I)


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def other(match):
    """As long, of the same kinds of letters, and nobody's: each letter and digit the next one."""
    def step(c):
        for first, last in ("az", "AZ", "09"):
            if first <= c <= last:
                return first if c == last else chr(ord(c) + 1)
        return c
    return "".join(map(step, match.group().decode())).encode()


def renamed(data, count):
    data, n = PATTERN.subn(other, data)
    count[0] += n
    return data


def name_of(member_name, count):
    return os.fsdecode(renamed(os.fsencode(member_name), count))


def root_of(names):
    """The folder that a device sees as its root: the one that holds etc."""
    tops = sorted((n for n in names if n.rstrip("/").endswith("/etc") or n.rstrip("/") == "etc"), key=len)
    return tops[0].rstrip("/")[:-3] if tops else ""


def rewrite(source, target, change, count):
    with tarfile.open(source, errors="surrogateescape") as old, \
         tarfile.open(target, "w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as new:
        members = old.getmembers()
        root = root_of([m.name for m in members])
        for m in members:
            if not m.name.startswith(root) or m.name == root.rstrip("/"):
                continue
            content = old.extractfile(m).read() if m.isreg() else None
            m.name = m.name[len(root):]
            if m.islnk():
                m.linkname = m.linkname[len(root):]
            m.pax_headers = {}
            if change:
                m.name, m.linkname = name_of(m.name, count), name_of(m.linkname, count)
                content = renamed(content, count) if content is not None else None
            new.addfile(m, io.BytesIO(content) if content is not None else None)


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    assert done.returncode in (0, 1, 4), (arguments, done)
    return done.stdout


def verdicts(assay, tar, declaration, folder):
    run(assay, "policy", "evidence", tar, "--declaration", declaration, "--as-of", "2026-11-01", "-o", folder + "/e.json")
    out = []
    for policy in POLICIES:
        lines = run(assay, "policy", "judge", policy, "--evidence", folder + "/e.json").splitlines()
        out += [line.split(maxsplit=1) for line in lines if not line.startswith(" ")]
    return out


def compare(assay, source, folder):
    """How many names were replaced; asserts that no verdict changed."""
    a, b, count = folder + "/a.tar", folder + "/b.tar", [0]
    rewrite(source, a, False, count)
    rewrite(source, b, True, count)
    assert count[0] > 0, "nothing was replaced: the test shows nothing"
    run(assay, "declare", a, "--no-store", "-o", folder + "/a.yaml")
    text = pathlib.Path(folder + "/a.yaml").read_bytes().replace(b"# class:", b"class: cpe-router")
    # Half of what is there stays undeclared, so that the verdicts over it say something.
    lines = [l for i, l in enumerate(text.splitlines(True)) if not l.startswith(b"  - {") or i % 2]
    text = b"".join(l.replace(b":\n", b": []\n") if l.endswith(b":\n") and not l.startswith((b"#", b" ")) and
                    not (i + 1 < len(lines) and lines[i + 1].startswith(b"  - {")) else l for i, l in enumerate(lines))
    pathlib.Path(folder + "/a.yaml").write_bytes(text)
    pathlib.Path(folder + "/b.yaml").write_bytes(renamed(text, count))
    one = verdicts(assay, a, folder + "/a.yaml", folder)
    two = verdicts(assay, b, folder + "/b.yaml", folder)
    assert len(one) > 80 and {v for v, _ in one} >= {"PASS", "NOT_TESTED"}, one
    assert one == two, [(x, y) for x, y in zip(one, two) if x != y]
    return count[0]


def test_names_in_real_images_decide_nothing(assay):
    if not (SHARED / "firmware").is_dir():
        skip("no " + str(SHARED / "firmware"))
    images = FEW if os.environ.get("FAIRNESS") != "all" else sorted(
        p.name for p in (SHARED / "firmware").iterdir() if p.suffix in (".bin", ".img", ".tar"))
    for name in images:
        with tempfile.TemporaryDirectory() as folder:
            run(assay, "export", SHARED / "firmware" / name, "--no-store", "-o", folder + "/x.tar")
            with tarfile.open(folder + "/x.tar", errors="surrogateescape") as tar:
                names = tar.getnames()
            if not any(n.endswith("/etc") for n in names):
                print(name + ": no file system of a device in it that can be read")
                continue
            print(name, compare(assay, folder + "/x.tar", folder), "names replaced")


FILES = {"etc/passwd": "root::0:0:root:/:/bin/sh\nzyxel:x:0:0::/:/bin/sh\n",
         "etc/inittab": "::sysinit:/etc/init.d/rcS\n::askfirst:/bin/sh\n",
         "etc/init.d/rcS": "#!/bin/sh\n/usr/sbin/telnetd -l /bin/sh\n/usr/huawei/bin/httpd -p 8080\n"
                           "wget http://update.tp-link.example/netgear.bin -O - | sh\n",
         "etc/huawei/netgear.conf": "snmp_community=public\ncisco_password=admin\n",
         "www/tplink/broadcom_debug.cgi": "#!/bin/sh\necho linksys\n",
         "usr/sbin/mediatek_daemon": "realtek\n"}


def test_names_in_a_made_image_decide_nothing(assay):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(folder + "/x.tar", "w") as tar:
            for top in ("etc", "etc/init.d"):
                entry = tarfile.TarInfo(top)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            for name, text in FILES.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text), 0o755
                tar.addfile(entry, io.BytesIO(text.encode()))
        assert compare(assay, folder + "/x.tar", folder) >= 8


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
