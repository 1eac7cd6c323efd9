#!/usr/bin/env python3
"""A worker that is killed costs the one input it was reading: the report names it, the rest is there, exit 4."""
import bz2
import glob
import io
import os
import pathlib
import random
import signal
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import runner  # noqa: E402
from runner import *  # noqa: E402, F403

FILES = 8


def slow_image():
    """Files that each take a worker a few tenths of a second to decode."""
    dice = random.Random(1)
    words = [bytes(dice.randrange(97, 123) for _ in range(dice.randrange(2, 9))) for _ in range(3000)]
    with tarfile.open("in.tar", "w") as tar:
        for n in range(FILES):
            text = b" ".join(dice.choices(words, k=500_000))
            packed = bz2.compress(b"%d " % n + text)
            entry = tarfile.TarInfo(f"{n}.bz2")
            entry.size = len(packed)
            tar.addfile(entry, io.BytesIO(packed))


def children(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path) as lines:
            found += [int(word) for word in lines.read().split()]
    return found


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as line:
        return sum(map(int, line.read().rsplit(")", 1)[1].split()[11:13]))


def kill_a_busy_worker(run):
    """Kills the first worker seen to have computed for a while after the input's own unpacking."""
    deadline = time.monotonic() + 20
    while run.poll() is None and time.monotonic() < deadline:
        for pid in children(run.pid):
            try:
                if processor_time(pid) >= 25:
                    os.kill(pid, signal.SIGKILL)
                    return True
            except (FileNotFoundError, ProcessLookupError):
                pass
        time.sleep(0.01)
    return False


def test_a_killed_worker_costs_one_input():
    if not glob.glob("/proc/self/task/*/children"):
        raise Skip("/proc has no children lists here")
    slow_image()
    run = subprocess.Popen([runner.PROGRAM, "inspect", "in.tar", "--no-store", "--workers", "2", "--json",
                            "out.json", "--as-of", "2024-01-01"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=environment())
    killed = kill_a_busy_worker(run)
    out, _ = run.communicate(timeout=120)
    check(killed, "no worker was busy long enough to be killed")
    check(run.returncode == 4, f"exit {run.returncode}: {out.decode()}")
    found = json.loads(pathlib.Path("out.json").read_bytes())
    named = [line for line in found["incomplete_because"] if "kill" in line.lower()]
    check(len(named) == 1 and ".bz2" in named[0], f"the one input is not named: {found['incomplete_because']}")
    victim = named[0].split(":")[0]
    read = [a["path"] for a in found["artifacts"] if a["path"].endswith(".bz2") and a.get("format") == "bzip2"]
    check(len(read) == FILES - 1 and "in.tar/" + victim not in read, f"{victim}; the rest: {read}")


sys.exit(main())
