#!/usr/bin/env python3
"""assay inspect held against its goals: inspect_images.py BUILD.

For every image of ../shared/firmware (or $ASSAY_FIRMWARE), medians of five runs:
  decode    CPU seconds of decoding every compressed stream once (decode_once.cc): the floor
  assay     CPU seconds of `assay inspect --no-code`, all its processes, without a store and with an empty one
  wall      seconds from start to end, without a store
  binwalk   CPU and wall seconds of `binwalk -eM` (one run: it takes long), which unpacks and no more
  × faster  its wall time by assay's: what a person waits for
  files     that assay read, and files that binwalk left behind (carved pieces count, devices and links do not)
  unsquashfs  CPU seconds of unpacking the SquashFS images in it, where it can read them
  memory    the most that all processes of one run held at one time: PSS counts a shared page once, RSS in each process;
            /proc/*/smaps_rollup every 5 ms
Then one byte of one file is changed in a SquashFS tree, and what had to run again is counted.

CPU time is what is compared with decoding: wall time depends on what else the machine does. A goal that is missed is printed as missed
and the exit status is 1.
"""
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("ASSAY_BENCH_RUNS", "5"))
MOST_RATIO, LEAST_BINWALK, MOST_WALL, MOST_MIB = 2.5, 10.0, 1.0, 150.0
QUIET_LOAD = 4.0


def firmware():
    named = os.environ.get("ASSAY_FIRMWARE")
    for folder in [named] if named else [ROOT.parent / "shared/firmware", ROOT.parent.parent / "shared/firmware"]:
        if folder and pathlib.Path(folder).is_dir():
            files = sorted(pathlib.Path(folder).iterdir())
            return [f for f in files if f.suffix in (".bin", ".img", ".tar", ".trx")]
    return []


def cpu_and_wall(command, **more):
    """User and system seconds of a command and all its children, and its wall time."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - begun, done.returncode


def kib_of(pid):
    pss = rss = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            for line in lines:
                if line.startswith("Pss:"):
                    pss = int(line.split()[1])
                elif line.startswith("Rss:"):
                    rss = int(line.split()[1])
    except OSError:
        pass  # it has ended
    return pss, rss


def family(pid):
    found = [pid]
    for parent in found:
        try:
            with open(f"/proc/{parent}/task/{parent}/children") as children:
                found += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


def peak_memory(command):
    """MiB of PSS and RSS summed over the processes at one time, the largest sums."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = [0, 0]
    while process.poll() is None:
        sums = [sum(column) for column in zip(*[kib_of(pid) for pid in family(process.pid)])]
        most = [max(a, b) for a, b in zip(most, sums)]
        time.sleep(0.005)
    return most[0] / 1024, most[1] / 1024


def instructions(command):
    """Millions of instructions in user space, or None where the machine does not count them."""
    if not shutil.which("perf"):
        return None
    done = subprocess.run(["perf", "stat", "-x", ",", "-e", "instructions:u", *command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    counted = re.search(r"^(\d+),", done.stderr, re.M)
    return int(counted.group(1)) / 1e6 if counted else None


def squashfs_parts(assay, image, folder):
    """The SquashFS images inside, written to files."""
    listed = subprocess.run([assay, "inspect", "--no-code", "--no-store", image, "--json", "-"],
                            capture_output=True, text=True).stdout
    try:
        report = json.loads(listed)
    except ValueError:
        return []
    found = []
    for artifact in report["artifacts"]:
        if artifact.get("format") == "squashfs":
            path = artifact["path"]
            out = pathlib.Path(folder) / f"squashfs{len(found)}"
            with open(out, "wb") as into:
                if subprocess.run([assay, "cat", "--no-store", image, path], stdout=into,
                                  stderr=subprocess.DEVNULL).returncode == 0:
                    found.append(out)
    return found


def unsquashfs(assay, image):
    with tempfile.TemporaryDirectory() as folder:
        parts = squashfs_parts(assay, image, folder)
        total, good = 0.0, bool(parts)
        for i, part in enumerate(parts):
            cpu, _, status = cpu_and_wall(["unsquashfs", "-q", "-n", "-no-xattrs", "-d", f"{folder}/tree{i}", part])
            total += cpu
            good = good and status in (0, 2) and os.path.isdir(f"{folder}/tree{i}")
        return total if good else None


def binwalk(image):
    if not shutil.which("binwalk"):
        return None, None, None
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(image, f"{folder}/image")
        cpu, wall, _ = cpu_and_wall(["binwalk", "-eM", "--run-as=root", "-C", f"{folder}/out", f"{folder}/image"])
        return cpu, wall, sum(file.is_file() and not file.is_symlink() for file in pathlib.Path(folder, "out").rglob("*"))


def files_read(assay, image):
    listed = subprocess.run([assay, "inspect", "--no-code", "--no-store", image, "--json", "-"], capture_output=True, text=True)
    try:
        return json.loads(listed.stdout)["coverage"]["files"]["read"]
    except ValueError:
        return None


def measure(build, image):
    assay = str(build / "assay")
    line = subprocess.run([build / "test/bench/decode_once", image], capture_output=True, text=True).stdout.split()
    row = {"image": image.name, "size": image.stat().st_size, "streams": int(line[0]), "decode": float(line[6])}
    plain = [assay, "inspect", "--no-code", "--no-store", str(image)]
    runs = [cpu_and_wall(plain) for _ in range(RUNS)]
    row["assay"] = statistics.median(cpu for cpu, _, _ in runs)
    row["wall"] = statistics.median(wall for _, wall, _ in runs)
    stored = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as store:
            stored.append(cpu_and_wall([assay, "inspect", "--no-code", "--store", store, str(image)])[0])
    row["store"] = statistics.median(stored)
    row["pss"], row["rss"] = peak_memory(plain)
    row["instructions"] = instructions(plain)
    row["binwalk"], row["binwalk wall"], row["binwalk files"] = binwalk(image)
    row["unsquashfs"] = unsquashfs(assay, str(image))
    row["files"] = files_read(assay, str(image))
    return row


def number(value, form="{:.3f}"):
    return "-" if value is None else form.format(value)


def ratio(above, below):
    return above / below if above is not None and below and below > 0.001 else None


HEAD = ("image", "MiB", "decode", "assay", "×", "store", "wall", "binwalk", "its wall", "× faster", "files",
        "binwalk's", "unsquashfs", "PSS MiB", "RSS MiB", "M instr.")


def cells(row):
    return (row["image"], f"{row['size'] / 2**20:.1f}", number(row["decode"] if row["streams"] else None),
            number(row["assay"]), number(ratio(row["assay"], row["decode"]), "{:.2f}"), number(row["store"]), number(row["wall"]),
            number(row["binwalk"], "{:.2f}"), number(row["binwalk wall"], "{:.2f}"),
            number(ratio(row["binwalk wall"], row["wall"]), "{:.1f}"),
            number(row["files"], "{}"), number(row["binwalk files"], "{}"), number(row["unsquashfs"]), f"{row['pss']:.0f}", f"{row['rss']:.0f}", number(row["instructions"], "{:.0f}"))


def print_table(table):
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))))


def missed(rows):
    for row in rows:
        name = row["image"]
        for column in ("assay", "store"):
            times = ratio(row[column], row["decode"])
            if times and times > MOST_RATIO:
                how = "with an empty store " if column == "store" else ""
                yield f"{name}: {how}{times:.2f} times decoding once, goal {MOST_RATIO}"
        if row["wall"] > MOST_WALL:
            yield f"{name}: {row['wall']:.2f} s wall, goal {MOST_WALL} s for 8 MB"
        faster = ratio(row["binwalk wall"], row["wall"])
        if faster and faster < LEAST_BINWALK:
            yield f"{name}: {faster:.1f} times faster than binwalk, goal {LEAST_BINWALK:.0f}"
        if row["pss"] > MOST_MIB:
            yield f"{name}: {row['pss']:.0f} MiB, goal {MOST_MIB:.0f}"


def one_byte(build):
    """A tree of 200 files, one byte of one changed: which arrows run again."""
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        for i in range(200):
            file = base / f"tree/d{i % 10}/f{i}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes((i * 7 + j * j) % 251 for j in range(3000)))
        ran = []
        for name in ("before", "after"):
            if name == "after":
                target = base / "tree/d3/f33"
                content = bytearray(target.read_bytes())
                content[1000] ^= 1
                target.write_bytes(content)
            subprocess.run(["mksquashfs", base / "tree", base / "image", "-quiet", "-no-progress", "-noappend",
                            "-all-root", "-mkfs-time", "0", "-all-time", "0"], check=True, stdout=subprocess.DEVNULL)
            cpu, _, _ = cpu_and_wall([build / "assay", "inspect", "--store", base / "store", base / "image", "--arrows",
                                      base / name])
            lines = [line.split("\t") for line in (base / name).read_text().splitlines()]
            ran.append((cpu, [line for line in lines if line[0] == "run"], len(lines)))
    print("\none byte of one of 200 files changed in a SquashFS tree:")
    for name, (cpu, run, total) in zip(("first image", "changed image"), ran):
        print(f"  {name}: {len(run)} of {total} arrows ran, {cpu:.3f} s CPU")
    for _, arrow, way in ran[1][1]:
        print(f"    ran again: {arrow} {way or '(the input)'}")


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    images = firmware()
    wanted = os.environ.get("ASSAY_BENCH_IMAGES", "")
    images = [image for image in images if wanted in image.name]
    load = os.getloadavg()[0]
    print(f"machine: {machine()}; load {load:.1f} at the start" +
          ("" if load < QUIET_LOAD else ": NOT quiet, expect noise"))
    if not images:
        print("no images: ../shared/firmware is not there and ASSAY_FIRMWARE names no folder")
    rows = []
    for image in images:
        print(f"  {image.name} …", file=sys.stderr, flush=True)
        rows.append(measure(build, image))
    if rows:
        print(f"medians of {RUNS} runs, CPU seconds unless said otherwise\n")
        print_table([HEAD] + [cells(row) for row in rows])
        if all(row["instructions"] is None for row in rows):
            print("M instr.: not supported here (perf is missing or the machine has no counters for us)")
    one_byte(build)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    goals = list(missed(rows))
    print("goals: " + (f"{len(goals)} missed" if goals else "all met" if rows else "nothing measured"))
    for goal in goals:
        print("  MISSED " + goal)
    return 1 if goals else 0


if __name__ == "__main__":
    sys.exit(main())
