#!/usr/bin/env python3
"""The output at the top of README.md is what the program prints for the router image that demo/router/make.sh builds.

Keys in that image are fresh and compilers differ, so digits and digests are compared by their place only.
--update writes the block anew.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MARK = "<!-- output: assay inspect router.bin -->"


def normal(text):
    text = re.sub(r"\b[0-9a-f]{12,64}\b", "#", text)
    return re.sub(r"[0-9]+(\.[0-9]+)*", "#", text)


def output():
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([str(ROOT / "demo/router/make.sh"), f"{folder}/router.bin"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode != 0:
            print("skipped: the router image cannot be built here:\n" + made.stdout.decode(errors="replace"))
            sys.exit(77)
        done = subprocess.run([str(PROGRAM), "inspect", "--no-store", "router.bin"], cwd=folder, stdout=subprocess.PIPE)
        return done.stdout.decode()


def main():
    readme = (ROOT / "README.md").read_text()
    before, rest = readme.split(MARK + "\n```\n")
    block, after = rest.split("```\n", 1)
    got = output()
    if "--update" in sys.argv:
        (ROOT / "README.md").write_text(before + MARK + "\n```\n" + got + "```\n" + after)
        return 0
    if normal(block) == normal(got):
        return 0
    print("README.md shows:\n" + block + "\nthe program prints:\n" + got)
    return 1


sys.exit(main())
