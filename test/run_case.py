#!/usr/bin/env python3
"""Runs one case folder: cmd in a folder of its own, its output and exit status against want.

A case is text: `cmd` (shell), inputs as `NAME.hex` (hex digits, # comments; written as NAME), or a shell script `make`
that builds inputs with tools of the distribution (`need TOOL…` skips the case visibly where one is missing). `want` is what cmd prints on
both outputs, then `exit N`. --update rewrites want; the reviewer reads that diff.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NEED = 'need() { for tool; do command -v "$tool" >/dev/null || { echo "no $tool here"; exit 77; }; done; }; set -e\n'


def write_inputs(case, work):
    for path in sorted(case.iterdir()):
        if path.suffix == ".hex":
            digits = "".join(line.split("#")[0] for line in path.read_text().splitlines())
            (work / path.stem).write_bytes(bytes.fromhex("".join(digits.split())))
        elif path.name not in ("cmd", "want", "make"):
            shutil.copy(path, work / path.name)


def run(command, work, environment):
    return subprocess.run(["bash", "-c", command], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)


def main():
    case, program = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    update = "--update" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        environment = {
            "PATH": f"{program.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": folder, "XDG_CACHE_HOME": f"{folder}/.cache", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "SOURCE_DATE_EPOCH": "1700000000", "CASE": str(case),
            "SHARED": str(case.parents[3].parent / "shared"),
        }
        write_inputs(case, work)
        if (case / "make").exists():
            made = run(NEED + (case / "make").read_text(), work, environment)
            if made.returncode == SKIPPED:
                print("skipped:", made.stdout.decode(errors="replace").strip())
                return SKIPPED
            if made.returncode != 0:
                print(f"make failed with {made.returncode}:\n{made.stdout.decode(errors='replace')}")
                return 1
        done = run((case / "cmd").read_text(), work, environment)
        got = done.stdout.decode(errors="backslashreplace") + f"exit {done.returncode}\n"
        want = case / "want"
        if update:
            want.write_text(got)
            return 0
        expected = want.read_text() if want.exists() else ""
        if got == expected:
            return 0
        print(f"--- {want}\n+++ got")
        diff = subprocess.run(["diff", "-u", str(want) if want.exists() else "/dev/null", "-"], input=got.encode(),
                              stdout=subprocess.PIPE)
        print(diff.stdout.decode(errors="replace"))
        return 1


sys.exit(main())
