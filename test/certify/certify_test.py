#!/usr/bin/env python3
"""A certificate from end to end: examined, judged, signed, logged, checked again, and refused when anything changed.

Run as `certify_test.py test_NAME ASSAY`."""
import base64
import json
import os
import subprocess
import sys
import tempfile


class Room:
    """A folder with a signer, a log and a small image; `run` calls the program."""

    def __init__(self, assay, folder):
        self.assay, self.folder = assay, folder
        self.run("keygen", "-o", self.at("signer"))
        self.run("keygen", "-o", self.at("log-key"))
        self.run("log", "init", self.at("log"), "--key", self.at("log-key"), "--origin", "log.example/t")
        os.makedirs(self.at("tree/etc"))
        for name, text in {"passwd": "root::0:0:root:/:/bin/sh\n", "inittab": "::sysinit:/etc/init.d/rcS\n"}.items():
            with open(self.at("tree/etc/" + name), "w") as out:
                out.write(text)
        subprocess.run(["tar", "--sort=name", "--mtime=@0", "-cf", self.at("image.tar"), "-C", self.at("tree"), "etc"],
                       check=True)

    def at(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments, status=0):
        done = subprocess.run([self.assay, *arguments], capture_output=True, text=True)
        assert done.returncode == status, (arguments, done)
        return done

    def log_key(self):
        with open(self.at("log/log.json")) as file:
            return json.load(file)["verifierKey"]

    def certify(self, name, status=1, **more):
        flags = {"policy": "consumer-cpe", "key": self.at("signer"), "log": self.at("log"), "as-of": "2026-11-01", **more}
        return self.run("certify", self.at("image.tar"), "-o", self.at(name),
                        *[word for flag, value in flags.items() for word in ("--" + flag, value)], status=status)


def verdict_of(path):
    with open(path) as file:
        envelope = json.load(file)["certificate"]["dsseEnvelope"]
    return json.loads(base64.b64decode(envelope["payload"]))["predicate"]


def test_certificate_holds_and_changes_are_refused(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        said = room.certify("cert.json")
        assert "FAILED" in said.stdout, said
        predicate = verdict_of(room.at("cert.json"))
        assert predicate["verificationResult"] == "FAILED" and predicate["verifiedLevels"] == []
        assert predicate["urn:assay:certificate:v1"]["validUntil"] == "2027-11-01"
        with open(room.at("cert.json")) as file:
            log_key = json.load(file)["log"]
        check = ["verify", room.at("cert.json"), "--signer", room.at("signer.pub"), "--log-key", log_key]
        room.run(*check, "--image", room.at("image.tar"), "--log", room.at("log"))
        room.run("verify", room.at("cert.json"), "--signer", room.at("log-key.pub"), "--log-key", log_key, status=1)
        with open(room.at("image.tar"), "r+b") as image:
            image.write(b"X")
        refused = room.run(*check, "--image", room.at("image.tar"), status=1)
        assert "image.tar" in refused.stderr, refused
        with open(room.at("cert.json"), "rb") as file:
            whole = file.read()
        for offset in range(0, len(whole), max(1, len(whole) // 40)):
            with open(room.at("changed.json"), "wb") as out:
                out.write(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1:])
            done = subprocess.run([assay, "verify", room.at("changed.json"), *check[2:]], capture_output=True)
            assert done.returncode in (1, 3), (offset, done)


def test_bad_input_names_what_and_leaves_nothing(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        refused = room.certify("cert.json", status=3, policy="no-such-policy")
        assert "no-such-policy" in refused.stderr, refused
        with open(room.at("typo.yaml"), "w") as out:
            out.write("declaration: 1\nservises: []\n")
        refused = room.certify("cert.json", status=2, declaration=room.at("typo.yaml"))
        assert "typo.yaml" in refused.stderr and "servises" in refused.stderr, refused
        refused = room.certify("cert.json", status=3, log=room.at("no-log"))
        assert "no-log" in refused.stderr, refused
        assert not os.path.exists(room.at("cert.json")), "nothing half-made is left"


def test_same_statements_twice(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("one.json")
        room.certify("two.json", workers="1")
        assert verdict_of(room.at("one.json")) == verdict_of(room.at("two.json"))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
