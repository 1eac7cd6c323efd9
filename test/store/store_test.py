#!/usr/bin/env python3
"""Whatever is wrong with the store costs speed and a message, never a result."""
import os
import pathlib
import resource
import signal
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import io

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import runner  # noqa: E402
from runner import *  # noqa: E402, F403

INSPECT = ("inspect", "in.tar", "--as-of", "2024-01-01", "--json", "-")


def image():
    with tarfile.open("in.tar", "w") as tar:
        for n in range(40):
            entry, text = tarfile.TarInfo(f"etc/file{n}"), b"root::0:0::/:/bin/sh\n" * (n + 1)
            if n == 0:
                entry = tarfile.TarInfo("etc/passwd")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))


def begin():
    image()
    good = assay(*INSPECT, "--no-store")
    check(good.status == 1 and good.err == "", f"exit {good.status}: {good.err}")
    return good


def same_with_a_message(good, done, message):
    check(done.status == good.status, f"exit {done.status}: {done.err}")
    check_same(good.raw, done.raw, "the report differs")
    check(done.err.startswith("assay: store: ") and message in done.err and len(done.err.splitlines()) == 1,
          f"the message: {done.err!r}")


def test_random_bytes():
    good = begin()
    os.mkdir("store")
    pathlib.Path("store/results.db").write_bytes(os.urandom(100_000))
    same_with_a_message(good, assay(*INSPECT, "--store", "store"), "damaged")
    check(os.path.exists("store/results.db.damaged"), "the damaged store was not kept")
    again = assay(*INSPECT, "--store", "store")
    check(again.err == "" and again.raw == good.raw, again.err)


def test_random_bytes_behind_a_good_header():
    good = begin()
    assay(*INSPECT, "--store", "store")
    file = pathlib.Path("store/results.db")
    whole = file.read_bytes()
    check(len(whole) > 8192, "the store is too small to damage")
    file.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    for name in ("store/results.db-wal", "store/results.db-shm"):
        pathlib.Path(name).unlink(missing_ok=True)
    done = assay(*INSPECT, "--store", "store")
    same_with_a_message(good, done, "store")
    again = assay(*INSPECT, "--store", "store")
    check_same(good.raw, again.raw, "the report differs the second time")


def flip_inside_values():
    database = sqlite3.connect("store/results.db")
    for key, value in database.execute("SELECT key, value FROM result").fetchall():
        value = bytearray(value)
        if value:
            value[len(value) // 2] ^= 1
        database.execute("UPDATE result SET value = ? WHERE key = ?", (bytes(value), key))
    database.commit()
    database.close()


def test_a_flipped_byte_inside_values():
    good = begin()
    assay(*INSPECT, "--store", "store")
    flip_inside_values()
    same_with_a_message(good, assay(*INSPECT, "--store", "store"), "does not match its digest")
    again = assay(*INSPECT, "--store", "store")
    check(again.err == "" and again.raw == good.raw, again.err)


def test_a_folder_that_cannot_be_made():
    good = begin()
    pathlib.Path("file").write_text("")
    same_with_a_message(good, assay(*INSPECT, "--store", "file/store"), "file/store")
    same_with_a_message(good, assay(*INSPECT, XDG_CACHE_HOME="/proc/nowhere"), "/proc/nowhere")


def test_a_read_only_folder():
    good = begin()
    assay(*INSPECT, "--store", "store")
    shell("chmod -R a-w store; chmod a+rx . store; chmod a+r in.tar")
    give_up_root = (lambda: os.setresuid(65534, 65534, 65534)) if os.getuid() == 0 else None
    if give_up_root and os.system(f"setpriv --reuid 65534 --clear-groups {runner.PROGRAM} --version >/dev/null 2>&1"):
        raise Skip("another user cannot run the program where it lies")
    done = assay(*INSPECT, "--store", "store", before=give_up_root)
    check(done.status == good.status, f"exit {done.status}: {done.err}")
    check_same(good.raw, done.raw, "the report differs")


def test_a_file_size_limit():
    good = begin()

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        done = assay(*INSPECT, "--store", "store", before=small_files)
    except json.JSONDecodeError:
        raise AssertionError("no report")
    # Shared memory is a file too: what cannot be decoded for want of it must be said, never a crash.
    check(done.status in (good.status, 3, 4), f"exit {done.status}: {done.err}")
    check(done.status == 3 or "store" in done.err, done.err)


def test_a_full_disk():
    good = begin()
    if os.getuid() != 0 or not shutil.which("unshare"):
        raise Skip("only root can make a small file system here")
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("a mount namespace cannot be made here")
    os.mkdir("small")
    script = ('mount -t tmpfs -o size=48k none small || exit 77; "$@"; status=$?; exit $status')
    done = assay(*INSPECT, "--store", "small", wrap=("unshare", "-m", "bash", "-c", script, "bash"))
    if done.status == 77:
        raise Skip("mounting is not allowed here")
    same_with_a_message(good, done, "full")


def test_killed_while_writing():
    good = begin()
    for wait in range(1, 8):
        shell(f"timeout -s KILL 0.0{wait} {runner.PROGRAM} inspect in.tar --store store >/dev/null 2>&1 || true")
    done = assay(*INSPECT, "--store", "store")
    check(done.err == "", done.err)
    check_same(good.raw, done.raw, "the report differs")


sys.exit(main())
