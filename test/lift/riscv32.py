#!/usr/bin/env python3
"""Builds programs of 32-bit RISC-V for the lifter to be held against: riscv32.py FOLDER. The distribution has a compiler
but no C library for it: the headers of the 64-bit one serve, and what the programs call is left unresolved. Prints the
programs' paths, each ended by a zero byte; what exists is kept."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../bench/code"))
import corpus  # noqa: E402

PROGRAMS = ["lua", "bzip2", "minigzip", "lz4", "zstd", "dnsmasq"]
BUILDS = ["-O2", "-Os", "-O3"]
MACHINE = ["-march=rv32gc_zifencei", "-mabi=ilp32d"]
LINK = ["-nostdlib", "-static", "-Wl,-melf32lriscv,--unresolved-symbols=ignore-all,-e,0"]


def main():
    folder = os.path.abspath(sys.argv[1])
    stubs = os.path.join(folder, "include", "gnu")
    os.makedirs(stubs, exist_ok=True)
    open(os.path.join(stubs, "stubs-ilp32d.h"), "w").close()
    roots = corpus.fetch(os.path.join(HERE, "../../build/corpus"), sorted({corpus.PROGRAMS[p][0] for p in PROGRAMS}))
    for program in PROGRAMS:
        root = roots[corpus.PROGRAMS[program][0]]
        sources, flags, _ = corpus.sources_of(program, root)
        for optimise in BUILDS:
            out = os.path.join(folder, program + optimise)
            if not os.path.exists(out):
                command = ["riscv64-linux-gnu-gcc", *MACHINE, optimise, "-w", "-I" + os.path.dirname(stubs), *flags]
                subprocess.run([*command, *LINK, "-o", out, *sources], cwd=root, check=True)
            sys.stdout.write(out + "\0")


main()
