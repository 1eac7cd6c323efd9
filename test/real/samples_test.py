#!/usr/bin/env python3
"""Every sample of ../shared/format-samples: how it is read, and that none is read worse than docs/samples.md says.

The table is written by `test/real/samples_test.py write_table build/release/assay`; what is compared with a foreign tool
is the set of contents: every regular file the tool extracts has to be among ours.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import runner  # noqa: E402
from runner import *  # noqa: E402, F403

TABLE = pathlib.Path(__file__).resolve().parents[2] / "docs/samples.md"
ORDER = ("not read", "refused", "partly", "typed", "unpacked")

# What no reading of bytes can tell: that a sample is damaged on purpose, and why a format is not read.
WHY = {
    "avm_sqfs_fake/fake.sqfs": "zeros and the words Test File stand in place of a file system",
    "bneg/test.bneg": "its two partitions hold 15 bytes of text",
    "generic_carver/fake_7z.7z": "damaged on purpose: a magic with nothing behind it",
    "generic_carver/fake_gz.gz": "damaged on purpose: a magic with nothing behind it",
    "generic_carver/fake_tar.tar": "damaged on purpose: a magic with nothing behind it",
    "generic_carver/fake_zip.zip": "damaged on purpose: a magic with nothing behind it",
    "draytek_vigor_167/invalid_draytekvigor167_image_struct_error.bin": "damaged on purpose: its structure lies",
    "linuxkernel/bogus_image.bin": "made on purpose: a boot sector without a kernel",
    "srec/bad_testfile.srec": "damaged on purpose: a checksum does not hold",
    "squashFS/empty": "an empty file",
    "xerox/invalid_file": "damaged on purpose: seven bytes of text",
    "tektronix/testfile_failed_slicing.xtek": "damaged on purpose: a record does not divide",
    "tektronix/testfile_crc.tek": "damaged on purpose: a checksum does not hold",
    "tektronix/testfile_crc.xtek": "damaged on purpose: a checksum does not hold",
    "sevenz/test_password.7z": "encrypted with AES: no library we may link reads encrypted 7-Zip archives",
    "stuffit/test.sitx": "StuffIt X: no specification and no free reader",
    "patool/test.lrz": "lrzip: priority C, no library reads it",
    "patool/test.rz": "rzip: priority C, no library reads it",
    "patool/test.zpaq": "ZPAQ: priority C, no library reads it",
    "ascii85/testfile.adobe85": "text, Ascii85: no format of firmware",
    "linuxkernel/zImage_be32": "cut off by its maker: 13132 bytes of the 11947964 that its header states",
    "xerox/xerox.ps": "text, PostScript: no format of firmware",
    "raw/raw.bin": "one byte value throughout: erased flash",
    "raw/encoded.bin": "text in an encoding of its own, not read",
}


def samples():
    root = shared() / "format-samples"
    return root, [p.relative_to(root).as_posix() for p in sorted(root.rglob("*"))
                  if p.is_file() and p.name != "MANIFEST.tsv"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_below(folder):
    return {digest(p) for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and p.stat().st_size
            and not any(part.startswith("[") for part in p.relative_to(folder).parts)}


TOOLS = (  # by the sample's name: the tool, and how it writes contents into the folder `out`
    (r"\.sqfs[34]?$", "unsquashfs", "unsquashfs -no-progress -no-xattrs -d out/root {f}"),
    (r"\.tar(\.\w+)?$", "tar", "tar -C out -xf {f}"),
    (r"\.(gz|bz2|xz|zst|lz4)$", None, None),  # the stream itself, below
    (r"\.lha$", "lha", "cd out && lha xq {f}"),
    (r"\.a$", "ar", "cd out && ar x {f}"),
    (r"\.(7z|cab|xar|iso|zip)$|cramfs\.img$", "7z", "7z x -y -pnone -bd -oout {f}"),
    (r"simg\.img$", "simg2img", "simg2img {f} out/raw"),
    (r"\.dtb$", None, None),
    (r"\.hex$", "objcopy", "objcopy -I ihex -O binary {f} out/bin"),
    (r"additional_data\.srec$", "objcopy", "objcopy -I srec -O binary {f} out/bin"),
)
STREAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "lz4": "lz4"}


def foreign(path, name):
    """(tool, contents) as a foreign tool reads the sample; None where there is none, or it cannot."""
    for pattern, tool, command in TOOLS:
        if not re.search(pattern, name):
            continue
        with tempfile.TemporaryDirectory() as work:
            out = pathlib.Path(work) / "out"
            out.mkdir()
            if tool is None:
                tool = STREAMS.get(name.rsplit(".", 1)[-1])
                if tool is None:
                    return None
                command = tool + " -dc {f} > out/data"
            if name.endswith(".img.xz"):
                tool, command = "7z", "xz -dc {f} > img && 7z x -y -bd -oout img"
            if not shutil.which(tool):
                return None
            done = subprocess.run(["bash", "-c", command.format(f=path)], cwd=work, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            contents = files_below(out)
            return (tool, contents) if done.returncode == 0 and contents else None
    return None


def outcome_of(name, report):
    artifacts, bytes_ = report["artifacts"], report["coverage"]["bytes"]
    formats = [a["format"] for a in artifacts if a.get("format") and a["kind"] in ("image", "part")]
    problems = [p["what"] for p in report["facts"]["problems"]]
    accounted = 1 - (bytes_["unknown"] + bytes_["encrypted"]) / max(1, bytes_["total"])
    if not formats:
        return ("refused" if problems else "not read"), formats, problems
    if accounted < 0.98 or problems or WHY.get(name, "").endswith("not read"):
        return "partly", formats, problems or [f"{bytes_['unknown']} of {bytes_['total']} bytes unknown"]
    return ("unpacked" if len(artifacts) > 1 else "typed"), formats, problems


def examine(root, name):
    done = subprocess.run([runner.PROGRAM, "inspect", str(root / name), "--no-store", "--as-of", "2024-01-01", "--json", "-"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), timeout=60)
    check(done.returncode in (0, 1, 4), f"{name}: exit {done.returncode}: {done.stderr.decode()}")
    report = json.loads(done.stdout)
    outcome, formats, problems = outcome_of(name, report)
    ours, theirs = {a["sha256"] for a in report["artifacts"] if "sha256" in a}, foreign(root / name, name)
    compared = ""
    if theirs:
        missing = len(theirs[1] - ours)
        compared = f"{len(theirs[1])} equal to {theirs[0]}'s" if missing == 0 else \
            f"{missing} of {len(theirs[1])} of {theirs[0]}'s are not among ours"
    why = WHY.get(name, problems[0] if problems else "")
    distinct = list(dict.fromkeys(formats))
    files = sum(a["kind"] == "file" for a in report["artifacts"])
    return {"sample": name, "outcome": outcome, "read as": ", ".join(distinct[:4]) + (" …" if len(distinct) > 4 else ""),
            "files": str(files or ""), "contents": compared, "why": why.replace("|", "\\|")[:160]}


def all_rows():
    root, names = samples()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda name: examine(root, name), names))


COLUMNS = ("sample", "outcome", "read as", "files", "contents", "why")


def write_table():
    rows = all_rows()
    counts = ", ".join(f"{sum(r['outcome'] == o for r in rows)} {o}" for o in reversed(ORDER))
    text = ["# Samples of other projects, and how they are read", "",
            "Written by `test/real/samples_test.py write_table build/release/assay` over ../shared/format-samples; a test fails",
            "when a sample is read worse than here. *Contents*: every file that the foreign tool extracts is among ours, or not.",
            "", f"{len(rows)} samples: {counts}.", "", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    text += ["| " + " | ".join(row[c] for c in COLUMNS) + " |" for row in rows]
    TABLE.write_text("\n".join(text) + "\n")
    print(counts)


def test_no_sample_is_read_worse():
    known = {}
    for line in TABLE.read_text().splitlines():
        cells = [c.strip() for c in line.strip("|").split(" | ")]
        if len(cells) == len(COLUMNS) and cells[1] in ORDER:
            known[cells[0].strip("| ")] = dict(zip(COLUMNS, cells))
    rows = all_rows()
    check(len(known) == len(rows) > 90, f"docs/samples.md has {len(known)} rows, there are {len(rows)} samples")
    worse = []
    for row in rows:
        before = known.get(row["sample"])
        check(before, f"docs/samples.md does not name {row['sample']}")
        if ORDER.index(row["outcome"]) < ORDER.index(before["outcome"]):
            worse.append(f"{row['sample']}: {before['outcome']} before, {row['outcome']} now: {row['why']}")
        if " equal to " in before["contents"] and " are not among ours" in row["contents"]:
            worse.append(f"{row['sample']}: {row['contents']}")
    check(not worse, "read worse than docs/samples.md says:\n  " + "\n  ".join(worse))


if __name__ == "__main__":
    sys.exit(main())
