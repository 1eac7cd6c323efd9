#!/usr/bin/env python3
"""Builds an Android-like image of 2 GiB: android_image.py FOLDER.

FOLDER/super.simg: a sparse image of a super partition with the logical partitions
  system_a   EROFS, lz4hc, pclusters of 64 KiB      vendor_a  EROFS, lz4
  product_a  ext4                                   odm_a     EROFS, not compressed
made of this machine's own programs, libraries and documents (/usr), so that the files are of the kinds and sizes that an
operating system has. Metadata of super: own builder (liblp's metadata_format.h); sparse: img2simg.
"""
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys

SIZE = 2 << 30
MIB = 1 << 20
PARTS = [("system_a", 680, ["-zlz4hc,9", "-C65536"]), ("vendor_a", 260, ["-zlz4"]), ("product_a", 560, None), ("odm_a", 180, [])]


def files_under(folders):
    """Regular files in a fixed order, the large ones (over 32 MiB) left out."""
    for folder in folders:
        for base, folders_in, names in os.walk(folder):
            folders_in.sort()
            for name in sorted(names):
                path = os.path.join(base, name)
                if os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) < 32 * MIB:
                    yield path


def fill(tree, source, most):
    """Hard links (else copies) of the next files, until `most` bytes are there."""
    total = 0
    while total < most:
        path = next(source, None)
        if path is None:
            break
        to = tree / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, to)
        except OSError:
            shutil.copyfile(path, to)
        total += os.path.getsize(path)
    return total


def make(tree, out, options, size):
    if options is None:
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-i", "4096", "-d", tree, out,
                        f"{(size + size // 3) // MIB + 16}M"], check=True)
    else:
        subprocess.run(["mkfs.erofs", *options, out, tree], check=True, stdout=subprocess.DEVNULL)


def digested(block, at):
    return block[:at] + hashlib.sha256(block[:at] + bytes(32) + block[at + 32:]).digest() + block[at + 32:]


def metadata(extents):
    """One slot of LP metadata: partitions with one extent each, in sectors."""
    partitions = b"".join(struct.pack("<36sIIII", name.encode(), 1, i, 1, 0) for i, (name, _, _) in enumerate(extents))
    table = b"".join(struct.pack("<QIQI", sectors, 0, first, 0) for _, first, sectors in extents)
    groups = struct.pack("<36sIQ", b"default", 0, 0)
    devices = struct.pack("<QIIQ36sI", 2048, 1048576, 0, SIZE, b"super", 0)
    tables = partitions + table + groups + devices
    at = [0, len(partitions), len(partitions) + len(table), len(partitions) + len(table) + len(groups)]
    header = struct.pack("<IHHI32sI32s", 0x414C5030, 10, 0, 128, bytes(32), len(tables), hashlib.sha256(tables).digest())
    for offset, count, size in zip(at, (len(extents), len(extents), 1, 1), (52, 24, 48, 64)):
        header += struct.pack("<III", offset, count, size)
    return digested(header.ljust(128, b"\0"), 12) + tables


def super_image(out, parts):
    geometry = digested(struct.pack("<II32sIII", 0x616C4467, 52, bytes(32), 65536, 2, 4096), 8).ljust(4096, b"\0")
    extents, first = [], 2048
    with open(out, "wb") as image:
        image.truncate(SIZE)
        for name, file in parts:
            size = (os.path.getsize(file) + 4095) // 4096 * 4096
            if first * 512 + size > SIZE:
                raise SystemExit(f"{name} does not fit")
            image.seek(first * 512)
            image.write(file.read_bytes())
            extents.append((name, first, size // 512))
            first += (size + MIB - 1) // MIB * 2048
        slot = metadata(extents).ljust(65536, b"\0")
        image.seek(4096)
        image.write(geometry * 2 + slot * 4)
    return first * 512


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "super.simg").exists():
        return
    source = files_under(["/usr/bin", "/usr/lib", "/usr/share", "/usr/include"])
    parts = []
    for name, most, options in PARTS:
        tree, out = folder / name, folder / f"{name}.img"
        # Compressed images hold about twice their size.
        files = fill(tree, source, most * MIB * (2 if options and name != "odm_a" else 1))
        make(tree, out, options, files)
        print(f"{name}: {files / MIB:.0f} MiB of files, image of {os.path.getsize(out) / MIB:.0f} MiB")
        subprocess.run(["rm", "-rf", tree], check=True)
        parts.append((name, out))
    used = super_image(folder / "super.img", parts)
    subprocess.run(["img2simg", folder / "super.img", folder / "super.simg"], check=True)
    for _, out in parts:
        out.unlink()
    print(f"super.img: {used / MIB:.0f} of {SIZE / MIB:.0f} MiB in partitions; super.simg: {os.path.getsize(folder / 'super.simg') / MIB:.0f} MiB")


main()
