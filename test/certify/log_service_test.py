#!/usr/bin/env python3
"""A log over HTTP and a log that cannot be written: reading works wherever bytes can be had, writing leaves nothing half done.

Run as `log_service_test.py test_NAME ASSAY`."""
import contextlib
import http.client
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

from certify_test import Room

NOBODY = 65534


@contextlib.contextmanager
def served(room, log="log"):
    process = subprocess.Popen([room.assay, "log", "serve", room.at(log), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"http://([^/]*)/", process.stdout.readline()).group(1)
    finally:
        process.terminate()
        process.wait()


def get(address, path):
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_served_log_verifies_and_gives_nothing_else(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        for name in ("a", "b"):
            with open(room.at(name), "w") as out:
                out.write(name)
        room.run("status", "suspend", room.at("cert.json"), "--key", room.at("signer"), "--log", room.at("log"), "--reason", "test")
        room.run("log", "append", room.at("log"), *[room.at("a")] * 300)
        with served(room) as address:
            url = "http://" + address
            room.run("log", "verify", url, "--log-key", room.log_key())
            refused = room.run("log", "verify", url, status=1)
            assert "--log-key" in refused.stderr, refused
            check = ["verify", room.at("cert.json"), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--as-of", "2026-11-02"]
            assert "suspended" in room.run(*check, "--log", url, status=1).stderr
            room.run("log", "prove", url, "--log-key", room.log_key(), "--index", "200", "-o", room.at("over-http"))
            room.run("log", "prove", room.at("log"), "--index", "200", "-o", room.at("from-folder"))
            with open(room.at("over-http")) as one, open(room.at("from-folder")) as other:
                assert one.read() == other.read()
            with open(room.at("log/checkpoint"), "rb") as file:
                assert get(address, "/checkpoint") == (200, file.read())
            assert get(address, "/tile/entries/000")[0] == 200
            for path in ("/log.json", "/journal", "/state", "/", "/tile/../log.json", "/tile/0/..%2f..%2flog.json", "/tile/0/000.p/",
                         "/status/../log.json", "/tile/entries/x000", "//log.json", "/tile/0/0000", "/tile/0/000/../../../log.json"):
                assert get(address, path)[0] == 404, path
        gone = room.run("log", "verify", url, "--log-key", room.log_key(), status=3)
        assert "checkpoint" in gone.stderr, gone


def test_a_forked_log_is_seen_by_verify_and_by_a_witness(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        room.run("keygen", "-o", room.at("w"))
        witness = lambda log, status: room.run("log", "witness", room.at(log), "--key", room.at("w"), "--name", "w.example/1", "--state",
                                               room.at("seen"), status=status)
        witness("log", 0)
        old = room.at("old")
        with open(room.at("log/checkpoint")) as file, open(old, "w") as out:
            out.write(file.read())
        # The keeper begins anew with the same key and origin, and grows past the old size with other entries.
        room.run("log", "init", room.at("fork"), "--key", room.at("log-key"), "--origin", "log.example/t")
        room.run("log", "append", room.at("fork"), *[room.at("image.tar")] * 9)
        room.run("log", "verify", room.at("fork"))
        for refused in (room.run("log", "verify", room.at("fork"), "--since", old, status=1), witness("fork", 1),
                        room.run("verify", room.at("cert.json"), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--log",
                                 room.at("fork"), status=1)):
            assert "rewritten or forked" in refused.stderr, refused
        # Or shows a shorter one.
        room.run("log", "init", room.at("short"), "--key", room.at("log-key"), "--origin", "log.example/t")
        assert "was cut" in room.run("log", "verify", room.at("short"), "--since", old, status=1).stderr


def as_nobody(room, *arguments):
    return subprocess.run([room.assay, *arguments], capture_output=True, text=True, user=NOBODY, group=NOBODY, extra_groups=[])


def test_a_log_that_cannot_be_written_can_be_read(assay):
    if os.getuid() != 0:
        print("skipped: needs root, to become a user who may not write")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        os.chmod(folder, 0o755)
        room.assay = shutil.copy(assay, room.at("assay"))  # the build may lie where nobody else may look
        for path in ("log-key", "signer", "log/log.json"):
            os.chmod(room.at(path), 0o644)
        before = {name: os.stat(room.at("log/" + name)).st_mtime_ns for name in sorted(os.listdir(room.at("log")))}
        for command in (["log", "verify", room.at("log")], ["log", "prove", room.at("log"), "--index", "0"],
                        ["verify", room.at("cert.json"), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--log",
                         room.at("log"), "--as-of", "2026-11-02"]):
            done = as_nobody(room, *command)
            assert done.returncode == 0, done
        for command in (["log", "append", room.at("log"), room.at("image.tar")], ["log", "checkpoint", room.at("log")],
                        ["status", "suspend", room.at("cert.json"), "--key", room.at("signer"), "--log", room.at("log"), "--reason", "x"]):
            done = as_nobody(room, *command)
            assert done.returncode == 3 and room.at("log") in done.stderr and "permissions" in done.stderr, done
        assert before == {name: os.stat(room.at("log/" + name)).st_mtime_ns for name in sorted(os.listdir(room.at("log")))}


def test_a_full_disk_leaves_nothing_half_written(assay):
    """A limit on the size of files stands for the full disk: writes fail in the middle, as there."""
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.run("log", "append", room.at("log"), room.at("image.tar"))
        with open(room.at("long"), "wb") as out:
            out.write(b"x" * 60000)
        limit = os.stat(room.at("log/journal")).st_size + 10000
        many = [room.at("long")] * 20  # the journal has a megabyte in advance
        done = subprocess.run([assay, "log", "append", room.at("log"), *many], capture_output=True, text=True,
                              restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        assert done.returncode == 3 and "journal" in done.stderr and "make room" in done.stderr, done
        room.run("log", "verify", room.at("log"))
        assert "1\t" in room.run("log", "append", room.at("log"), room.at("image.tar")).stdout, "the next entry follows the last good one"
        room.run("log", "verify", room.at("log"))
        # No room to grow in advance, room enough for what is appended: it is.
        entries = [room.at("long")] * 20
        limit = os.stat(room.at("log/journal")).st_size + 500_000
        done = subprocess.run([assay, "log", "append", room.at("log"), *entries], capture_output=True, text=True, restore_signals=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        assert done.returncode == 0 and "21\t" in done.stdout, done
        room.run("log", "verify", room.at("log"))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
