#!/usr/bin/env python3
"""The certificate for people and the view for the public: what the page holds, that its QR code is the file's digest (as
Chromium draws and zbar reads it), and that a view with statements withheld still verifies and cannot be changed.

Run as `page_test.py test_NAME ASSAY`."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from certify_test import Room, verdict_of


def trusting(room, name):
    return ["verify", room.at(name), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--as-of", "2026-11-02"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_the_page_says_all_and_its_code_leads_back_to_the_file(assay):
    if not shutil.which("chromium") or not shutil.which("zbarimg"):
        print("skipped: no chromium or no zbarimg (zbar-tools)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        room.run("certificate", "page", room.at("cert.json"), "-o", room.at("cert.html"))
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1400",
                        "--screenshot=" + room.at("page.png"), "file://" + room.at("cert.html")], check=True, capture_output=True, timeout=120)
        seen = subprocess.run(["zbarimg", "-q", "--raw", room.at("page.png")], capture_output=True, text=True).stdout.strip()
        with open(room.at("cert.json"), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        assert seen == "sha256:" + digest, seen
        page = read(room.at("cert.html"))
        for words in ("No proof of absence", "FAILED", digest, "How much was looked at", "Not tested", "Fact root", room.log_key(),
                      "2026-11-01", "consumer-cpe"):
            assert words in page, words
        assert "<script" not in page and "src=" not in page and "href=" not in page


def test_names_in_an_image_are_only_text_on_the_page(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        os.rename(room.at("image.tar"), room.at("<script>&\"'.tar"))
        room.run("certify", room.at("<script>&\"'.tar"), "--policy", "consumer-cpe", "--key", room.at("signer"), "--log", room.at("log"), "--as-of",
                 "2026-11-01", "-o", room.at("cert.json"), status=1)
        room.run("certificate", "page", room.at("cert.json"), "-o", room.at("cert.html"))
        page = read(room.at("cert.html"))
        assert "<script" not in page and "&lt;script&gt;&amp;&quot;" in page


def test_a_view_with_statements_withheld_still_verifies(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        said = room.run("certificate", "redact", room.at("cert.json"), "-o", room.at("public.json")).stdout
        assert said.startswith("2 of "), said
        view = json.loads(read(room.at("public.json")))
        digests = {one["digest"]["sha256"] for one in verdict_of(room.at("public.json"))["inputAttestations"]}
        withheld = [one["withheld"] for one in view["attestations"] if "withheld" in one]
        assert len(withheld) == 2 and set(withheld) < digests
        said = room.run(*trusting(room, "public.json"), "--log", room.at("log"), "--image", room.at("image.tar")).stdout
        assert "2 statements that this view withholds" in said, said
        assert "does not show the list of arrows" in room.run(*trusting(room, "public.json"), "--image", room.at("image.tar"), "--sample", "1",
                                                                status=1).stderr
        room.run(*trusting(room, "public.json"), "--image", room.at("image.tar"), "--recompute")
        room.run("certificate", "redact", room.at("public.json"), "--withhold", "results", "-o", room.at("least.json"))
        room.run(*trusting(room, "least.json"))
        room.run("certificate", "page", room.at("least.json"), "-o", room.at("least.html"))
        assert "This view withholds" in read(room.at("least.html"))
        text = read(room.at("public.json"))
        for match in re.finditer(r'"withheld":"([0-9a-f]{64})"', text):
            for at in (match.start(1), match.end(1) - 1, match.start() + 3):
                with open(room.at("changed.json"), "w") as out:
                    out.write(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:])
                room.run(*trusting(room, "changed.json"), status=1)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
