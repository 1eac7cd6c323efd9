#!/usr/bin/env python3
"""The same bytes in give the same bytes out: with any number of workers, with and without a store, cold and warm, from
a file and from standard input. And only what changed runs again."""
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runner import *  # noqa: E402, F403

TREE = r"""
mkdir -p root/etc/init.d root/bin root/www
echo 'root::0:0:root:/root:/bin/sh' >root/etc/passwd
printf '::sysinit:/etc/init.d/rcS\n::respawn:/sbin/getty 115200 ttyS0\n' >root/etc/inittab
printf '#!/bin/sh\ntelnetd -l /bin/sh\nhttpd -h /www\n' >root/etc/init.d/rcS
for n in $(seq 40); do seq $n 400 >root/www/$n.txt; done
gzip -9nc root/www/1.txt >root/www/a.gz
cp /bin/true root/bin/busybox; ln -s busybox root/bin/sh
chmod -R u=rwX,go=rX root; chmod 755 root/etc/init.d/rcS
"""
SQUASH = "mksquashfs root {} -quiet -no-progress -all-root -all-time 1000000000 -mkfs-time 1000000000 >/dev/null"
INSPECT = ("inspect", "--as-of", "2024-01-01", "--json", "-")


def built_images():
    need("mksquashfs", "cpio", "zip")
    shell(TREE + "env -u SOURCE_DATE_EPOCH " + SQUASH.format("in.sqfs") +
          "\n(cd root && find . | sort | cpio -o -H newc -R 0:0 --quiet) | gzip -9n >in.cpio.gz"
          "\nzip -q -r in.zip root in.sqfs; (head -c 3000 /bin/true; cat in.sqfs in.cpio.gz) >in.bin")
    return ["in.sqfs", "in.cpio.gz", "in.zip", "in.bin"]


def same_every_way(image):
    first = assay(*INSPECT, image, "--no-store", "--workers", "1")
    check(first.status in (0, 1, 4), f"{image}: exit {first.status}: {first.err}")
    check(first.json()["artifacts"], f"{image}: no artifacts")
    store = pathlib.Path("store")
    shutil.rmtree(store, ignore_errors=True)
    for name, arguments in (("eight workers", ["--no-store", "--workers", "8"]), ("again", ["--no-store"]),
                            ("cold store", ["--store", store, "--workers", "3"]), ("warm store", ["--store", store]),
                            ("warm store, one worker", ["--store", store, "--workers", "1"])):
        done = assay(*INSPECT, image, *arguments)
        check(done.status == first.status, f"{image}, {name}: exit {done.status}: {done.err}")
        check_same(first.raw, done.raw, f"{image}, {name}")
    shutil.copy(image, "stdin")  # the name that standard input goes by
    named = assay(*INSPECT, "stdin", "--no-store")
    for name, arguments in (("standard input", ["--no-store"]), ("standard input, warm store", ["--store", store])):
        piped = assay(*INSPECT, "-", *arguments, stdin=pathlib.Path(image).read_bytes())
        check_same(named.raw, piped.raw, f"{image}, {name}")
    ls = [assay("ls", image, "--store", store), assay("ls", image, "--no-store", "--workers", "8")]
    check_same(ls[0].raw, ls[1].raw, f"{image}: ls")
    # A listing looks at files while their container is decoded, inspect at each on its own: they must say the same.
    for artifact in first.json()["artifacts"][1:]:
        line = f' {artifact["path"].split("/", 1)[1]}  [{artifact["format"]}]\n' if artifact.get("format") else ""
        check(line in ls[1].out, f"{image}: ls has no line that ends in{line}")
    exports = [assay("export", image, "-o", "-", "--store", store), assay("export", image, "-o", "-", "--no-store")]
    check_same(exports[0].raw, exports[1].raw, f"{image}: export")


def test_built_images():
    for image in built_images():
        same_every_way(image)


def test_reports_of_every_kind():
    image = built_images()[0]
    for n, workers in enumerate(("1", "8")):
        done = assay("inspect", image, "--no-store", "--as-of", "2024-01-01", "--workers", workers, "--sarif", f"s{n}",
                     "--cyclonedx", f"c{n}", "--openvex", f"v{n}", "--html", f"h{n}")
        check(done.status in (0, 1, 4), done.err)
    for kind in "scvh":
        check_same(pathlib.Path(kind + "0").read_bytes(), pathlib.Path(kind + "1").read_bytes(), kind)


def test_sample_images():
    folder = shared() / "firmware"
    for name in ("openwrt-wrt54g-trx.bin", "tplink-wr841nv14-backdoored.bin", "ont-v2801f-201104.tar"):
        same_every_way(folder / name)


def only_this_runs_again(changed, at, expected):
    make = "env -u SOURCE_DATE_EPOCH " + SQUASH
    shell(f"rm -rf root one two store; {TREE}" + make.format("before.sqfs") + "; mkdir one two; mv before.sqfs one/in.sqfs"
          f"; printf X | dd of=root/{changed} bs=1 seek={at} conv=notrunc status=none; " + make.format("two/in.sqfs"))
    check(assay(*INSPECT, "one/in.sqfs", "--store", "store").status in (0, 1, 4), "the first run")
    done = assay(*INSPECT, "two/in.sqfs", "--store", "store", "--arrows", "arrows")
    check(done.status in (0, 1, 4), done.err)
    lines = [line.split("\t") for line in pathlib.Path("arrows").read_text().splitlines()]
    ran = sorted((name, way) for state, name, way in lines if state == "run")
    print(f"one byte of {changed} changed; ran again:", *(f"  {name} {way or '(the image)'}" for name, way in ran),
          sep="\n")
    print(f"from the store: {sum(state == 'stored' for state, _, _ in lines)}")
    check_same(expected, ran, "what ran again")
    check(sum(state == "stored" for state, _, _ in lines) > 80, "nearly everything comes from the store")
    again = assay(*INSPECT, "two/in.sqfs", "--store", "store", "--arrows", "arrows")
    check("run\t" not in pathlib.Path("arrows").read_text(), "the same image again runs something")
    check_same(done.raw, again.raw, "the report")
    check_same(assay(*INSPECT, "two/in.sqfs", "--no-store").raw, again.raw, "the report without a store")


def test_only_what_changed_runs_again():
    need("mksquashfs")
    only_this_runs_again("etc/passwd", 0, [("checks", ""), ("file", "squashfs/etc/passwd"), ("system", ""),
                                           ("unpack", ""), ("unpack", "squashfs/etc/passwd")])
    # A file that no fact comes from: the checks read the same facts as before, so they need not run.
    only_this_runs_again("www/7.txt", 100, [("file", "squashfs/www/7.txt"), ("system", ""), ("unpack", ""),
                                            ("unpack", "squashfs/www/7.txt")])


sys.exit(main())
