#!/usr/bin/env python3
"""./dev bench installers: the boot images that Debian 12 ships (installers for four processors, U-Boot, UEFI, SeaBIOS).

For each image: how long the program took, what share of its bytes is accounted for, how many files were read, and what
is left. At least 98 % is wanted of each; the images that miss it are listed, and the status is then 1.
"""
import json
import pathlib
import subprocess
import sys
import time

PACKAGES = ("debian-installer-12-netboot-armel", "debian-installer-12-netboot-armhf", "debian-installer-12-netboot-mipsel",
            "debian-installer-12-netboot-arm64", "u-boot-qemu", "ovmf", "qemu-efi-aarch64", "seabios")
SMALLEST, WANTED = 16 << 10, 98.0
NO_IMAGES = (".txt", ".cfg", ".gz.asc", ".html", ".png", ".json", ".md5sum", ".postinst", ".list", ".copyright")


def images_of(package):
    done = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True)
    seen = set()
    for line in done.stdout.splitlines():
        path = pathlib.Path(line)
        if not path.is_file() or path.is_symlink() or path.stat().st_size < SMALLEST or path.name.endswith(NO_IMAGES):
            continue
        if "/doc/" in line or path.resolve() in seen:
            continue
        seen.add(path.resolve())
        yield path


def main(build):
    missed, total = [], 0
    print(f"{'share':>8} {'MiB':>7} {'s':>6} {'files':>6}  image")
    for package in PACKAGES:
        for path in images_of(package):
            begun = time.monotonic()
            done = subprocess.run([f"{build}/assay", "inspect", path, "--no-store", "--as-of", "2024-01-01", "--json", "-"],
                                  capture_output=True)
            seconds = time.monotonic() - begun
            if done.returncode not in (0, 1, 4):
                missed.append(f"{path}: exit {done.returncode}")
                continue
            report = json.loads(done.stdout)
            counted, files = report["coverage"]["bytes"], report["coverage"]["files"]
            share = 100 - 100 * (counted["unknown"] + counted["encrypted"]) / max(1, counted["total"])
            total += 1
            print(f"{share:7.2f}% {counted['total'] / 2**20:7.1f} {seconds:6.1f} {files['read']:6d}  {path}", flush=True)
            if share < WANTED or files["unread"]:
                largest = sorted(report["facts"]["unknown_ranges"], key=lambda u: -u["size"])[:1]
                missed.append(f"{path}: {share:.2f} %, {files['unread']} files unread"
                              + "".join(f"; {u['size']} bytes: {u['at']['shows']}" for u in largest))
    print(f"{total} images, {len(missed)} below {WANTED} % or with files that could not be read")
    for line in missed:
        print("  " + line)
    return 1 if missed or total == 0 else 0


sys.exit(main(sys.argv[1]))
