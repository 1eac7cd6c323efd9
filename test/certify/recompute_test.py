#!/usr/bin/env python3
"""The fact root: the same wherever it is computed, compared by `assay verify --recompute` and `--sample`, and refused to be
compared by another program.

Run as `recompute_test.py test_NAME ASSAY`."""
import os
import shutil
import subprocess
import tempfile
import sys

from certify_test import Room, verdict_of


def facts_of(path):
    return verdict_of(path)["urn:assay:certificate:v1"]["images"][0]["factRoot"]


def trusting(room, name="cert.json"):
    return ["verify", room.at(name), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--as-of", "2026-11-02"]


def test_same_root_elsewhere_and_recomputed(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        # Another program file, folder, working folder, image name, number of workers: the same root.
        os.makedirs(room.at("elsewhere"))
        shutil.copy(assay, room.at("elsewhere/assay"))
        shutil.copy(room.at("image.tar"), room.at("elsewhere/renamed.bin"))
        flags = ["--policy", "consumer-cpe", "--key", room.at("signer"), "--log", room.at("log"), "--as-of", "2026-11-01"]
        done = subprocess.run([room.at("elsewhere/assay"), "certify", "renamed.bin", "-o", "again.json", "--workers", "1", *flags],
                              cwd=room.at("elsewhere"), capture_output=True, text=True)
        assert done.returncode in (1, 4), done
        assert facts_of(room.at("cert.json")) == facts_of(room.at("elsewhere/again.json"))
        said = room.run(*trusting(room), "--image", room.at("elsewhere/renamed.bin"), "--recompute").stdout
        assert "ran again, fact root " + facts_of(room.at("cert.json")) in said, said
        said = room.run(*trusting(room), "--image", room.at("image.tar"), "--sample", "2").stdout
        assert "ran again with the same results" in said, said


def test_another_program_is_refused_with_that_reason(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        other = room.at("other-assay")
        shutil.copy(assay, other)
        with open(other, "ab") as file:
            file.write(b"\0")
        done = subprocess.run([other, *trusting(room), "--image", room.at("image.tar"), "--recompute"],
                              capture_output=True, text=True)
        assert done.returncode == 4 and "another program" in done.stderr, done


def test_what_judging_needed_is_needed_again(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        with open(room.at("declaration.yaml"), "w") as out:
            out.write("declaration: 1\n")
        room.certify("cert.json", declaration=room.at("declaration.yaml"))
        again = [*trusting(room), "--image", room.at("image.tar"), "--recompute"]
        refused = room.run(*again, status=1)
        assert "--declaration" in refused.stderr, refused
        room.run(*again, "--declaration", room.at("declaration.yaml"))
        room.run(*trusting(room), "--recompute", status=2)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
