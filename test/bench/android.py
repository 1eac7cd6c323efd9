#!/usr/bin/env python3
"""An Android-like image of 2 GiB held against its goals: android.py BUILD.

The image (android_image.py) is kept in .cache/android, or in $ASSAY_BENCH_FOLDER. Measured:
  floor    CPU seconds of reading the file once and decoding every compressed stream in it once (decode_once.cc)
  ls       CPU seconds of `assay ls --no-store`, all its processes: everything unpacked, hashed and listed; goal: 3 floors
  memory   the most that all processes held at one time. Own: memory that only they can free (anonymous and shared memory);
           goal: 1 GiB. Mapped: pages of the input and of the unlinked files that hold what was decoded; the kernel drops
           those when others need the room
  in 1 GiB where a memory group can be made: the same run with 1 GiB for everything, pages of files included
A goal that is missed is printed as missed and the exit status is 1.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from inspect_images import ROOT, family, machine

MOST_RATIO, MOST_MIB = 3.0, 1024.0
GROUPS = pathlib.Path("/sys/fs/cgroup")


def held_by(pid):
    own = mapped = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            for line in lines:
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    own += int(line.split()[1])
                elif line.startswith("Pss_File:"):
                    mapped += int(line.split()[1])
    except OSError:
        pass  # it has ended
    return own, mapped


def watched(command):
    """CPU and wall seconds, the listing, and the peaks of own and mapped memory in MiB."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    listing = tempfile.TemporaryFile()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=listing, stderr=subprocess.DEVNULL)
    own = mapped = 0
    while process.poll() is None:
        sums = [sum(column) for column in zip(*[held_by(pid) for pid in family(process.pid)])]
        own, mapped = max(own, sums[0]), max(mapped, sums[1])
        time.sleep(0.2)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    listing.seek(0)
    return cpu, time.monotonic() - begun, listing.read(), own / 1024, mapped / 1024


def make_group():
    """A folder of cgroup v1 or v2 whose members have 1 GiB together; None where there is none."""
    first = GROUPS / "memory"
    group = (first if first.is_dir() else GROUPS) / f"assay-bench-{os.getpid()}"
    limit = "memory.limit_in_bytes" if first.is_dir() else "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(1 << 30))
        return group
    except OSError:
        if group.exists():
            group.rmdir()
        return None


def in_a_group(command):
    """The listing of a run with 1 GiB for everything; None where no memory group can be made."""
    group = make_group()
    if group is None:
        return None
    enter = f"echo $$ > {group}/cgroup.procs && exec \"$@\""
    try:
        return subprocess.run(["sh", "-c", enter, "sh", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
    finally:
        time.sleep(0.5)
        group.rmdir()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(os.environ.get("ASSAY_BENCH_FOLDER", ROOT / ".cache/android"))
    subprocess.run([sys.executable, ROOT / "test/bench/android_image.py", folder], check=True)
    image = folder / "super.simg"
    print(f"machine: {machine()}; load {os.getloadavg()[0]:.1f} at the start")
    line = subprocess.run([build / "test/bench/decode_once", image], capture_output=True, text=True, check=True).stdout.split()
    floor = float(line[6]) + float(line[8])
    print(f"floor  {floor:.2f} s: {line[0]} streams, {int(line[2]) / 2**20:.0f} MiB become {int(line[4]) / 2**20:.0f} MiB in "
          f"{float(line[6]):.2f} s; reading {image.stat().st_size / 2**20:.0f} MiB takes {float(line[8]):.2f} s", flush=True)
    command = [str(build / "assay"), "ls", "--no-store", str(image)]
    cpu, wall, listing, own, mapped = watched(command)
    print(f"ls     {cpu:.2f} s CPU, {cpu / floor:.2f} floors, {wall:.2f} s wall, {len(listing.splitlines())} lines")
    print(f"memory {own:.0f} MiB own, {mapped:.0f} MiB mapped")
    grouped = in_a_group(command)
    print("in 1 GiB: " + ("no memory group can be made here" if grouped is None else "the same listing" if grouped == listing else "another listing"), flush=True)
    missed = []
    if cpu / floor > MOST_RATIO:
        missed.append(f"{cpu / floor:.2f} floors, goal {MOST_RATIO:.0f}")
    if own > MOST_MIB:
        missed.append(f"{own:.0f} MiB of own memory, goal {MOST_MIB:.0f}")
    if grouped is not None and grouped != listing:
        missed.append("with 1 GiB for everything the listing is another one")
    print("goals: " + (f"{len(missed)} missed" if missed else "all met"))
    for goal in missed:
        print("  MISSED " + goal)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
