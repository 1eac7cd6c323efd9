#!/usr/bin/env python3
"""Builds the programs that `./dev bench functions` is held against, each with its truth beside it.

Sources are the distribution's own source packages, programs that need nothing but libc, so that every CPU with a cross
compiler can have them. Each is compiled to assembly first: the compiler's own output names the targets of every switch.
Local labels are kept through assembler and linker, so that truth.py can read function starts, jump tables and string uses
out of the unstripped file; the stripped copies are what the program under test gets to see.

    corpus.py FOLDER [--cpu NAME]... [--build NAME]... [--program NAME]...

FOLDER/<cpu>/<build>/<program>/ holds full, strip, no-unwind, no-sections, said.json (the assembly's) and truth.json; what
exists is kept. `truth.py FOLDER` reads every truth again from what is kept.
"""
import argparse
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import assembly  # noqa: E402
import truth  # noqa: E402

# CPU: (Debian's tool prefix, clang's target, flags for both)
CPUS = {
    "mips32-be": ("mips-linux-gnu", "mips-linux-gnu", []),
    "mips32-le": ("mipsel-linux-gnu", "mipsel-linux-gnu", []),
    "arm": ("arm-linux-gnueabi", "arm-linux-gnueabi", ["-marm", "-march=armv5te"]),
    "thumb": ("arm-linux-gnueabihf", "arm-linux-gnueabihf", ["-mthumb", "-march=armv7-a+fp"]),
    "aarch64": ("aarch64-linux-gnu", "aarch64-linux-gnu", []),
    "x86": ("i686-linux-gnu", "i686-linux-gnu", []),
    "x86-64": ("x86_64-linux-gnu", "x86_64-linux-gnu", []),
    "ppc32": ("powerpc-linux-gnu", "powerpc-linux-gnu", []),
    "mips64-be": ("mips64-linux-gnuabi64", "mips64-linux-gnuabi64", []),
    "mips64-le": ("mips64el-linux-gnuabi64", "mips64el-linux-gnuabi64", []),
    "riscv64": ("riscv64-linux-gnu", "riscv64-linux-gnu", []),
}
# Build: (compiler, flags for compiling, flags for linking)
BUILDS = {
    "gcc-O2": ("gcc", ["-O2"], []),
    "gcc-Os": ("gcc", ["-Os"], []),
    "gcc-O3-static": ("gcc", ["-O3"], ["-static"]),
    "clang-O2": ("clang", ["-O2"], []),
}
# Program: (source package, sources below its folder, not these, flags, libraries)
PROGRAMS = {
    "lua": ("lua5.4", ["src/*.c"], ["luac.c"], ["-DLUA_USE_POSIX"], ["-lm"]),
    "bzip2": ("bzip2", ["blocksort.c", "huffman.c", "crctable.c", "randtable.c", "compress.c", "decompress.c", "bzlib.c",
                        "bzip2.c"], [], [], []),
    "minigzip": ("zlib", ["*.c", "test/minigzip.c"], [], ["-I.", "-D_LARGEFILE64_SOURCE", "-DHAVE_UNISTD_H"], []),
    "dnsmasq": ("dnsmasq", ["src/*.c"], [], ['-DVERSION="0"'], []),
    "lz4": ("lz4", ["lib/*.c", "programs/*.c"], [], ["-Ilib", "-DXXH_NAMESPACE=LZ4_"], []),
    "zstd": ("libzstd", ["lib/common/*.c", "lib/compress/*.c", "lib/decompress/*.c", "lib/dictBuilder/*.c", "programs/*.c"],
             [], ["-Ilib", "-DZSTD_DISABLE_ASM", "-DXXH_NAMESPACE=ZSTD_"], []),
    "brssl": ("bearssl", ["src/**/*.c", "tools/*.c"], [], ["-Iinc", "-Isrc"], []),
    "ssl_client2": ("mbedtls", ["library/*.c", "programs/ssl/ssl_client2.c", "programs/ssl/ssl_test_lib.c"], [],
                    ["-Iinclude", "-Ilibrary"], []),
}
UNWIND = (".eh_frame", ".eh_frame_hdr", ".ARM.exidx", ".ARM.extab", ".pdr", ".gcc_except_table")


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} …: {done.stderr.strip()[-600:]}")
    return done.stdout


def apt_options(folder):
    """Options for an apt of our own that knows the distribution's source packages and nothing else."""
    private = os.path.join(folder, "apt")
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(private, name), exist_ok=True)
    found = []
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        for block in open(path, errors="replace").read().split("\n\n"):
            if "debian-archive-keyring" in block:
                found.append(re.sub(r"^Types:.*$", "Types: deb-src", block, flags=re.M))
    if os.path.exists("/etc/apt/sources.list"):
        lines = [line for line in open("/etc/apt/sources.list") if re.match(r"deb\s", line)]
        with open(os.path.join(private, "parts/lines.list"), "w") as out:
            out.writelines(re.sub(r"^deb\s", "deb-src ", line) for line in lines)
    with open(os.path.join(private, "parts/blocks.sources"), "w") as out:
        out.write("\n\n".join(found))
    return ["-qq", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={private}/parts", "-o",
            f"Dir::State::lists={private}/lists", "-o", f"Dir::Cache={private}/cache", "-o", "APT::Sandbox::User=root"]


def fetch(folder, packages):
    """Downloads and unpacks the upstream source of each package; returns package -> folder."""
    sources = os.path.join(folder, "src")
    os.makedirs(sources, exist_ok=True)
    missing = [p for p in packages if not os.path.isdir(os.path.join(sources, p))]
    if missing:
        options = apt_options(folder)
        run("apt-get", *options, "update")
        for package in missing:
            work = os.path.join(sources, package + ".part")
            shutil.rmtree(work, ignore_errors=True)
            os.makedirs(work)
            run("apt-get", *options, "source", "--download-only", package, cwd=work)
            archive = [p for p in glob.glob(work + "/*.orig.tar.*") if not p.endswith(".asc")][0]
            run("tar", "xf", archive, cwd=work)
            os.rename([p for p in glob.glob(work + "/*/")][0], os.path.join(sources, package))
            shutil.rmtree(work)
    return {p: os.path.join(sources, p) for p in packages}


def tools(cpu, compiler):
    prefix, target, flags = CPUS[cpu]
    if compiler == "gcc":
        return [f"{prefix}-gcc"], flags, prefix
    return ["clang-19", f"--target={target}"], flags, prefix


def compile_one(command, flags, source, index, work, root):
    """C to assembly, labels made unique, assembly to an object that keeps them. Returns what the assembly says."""
    text, unit = os.path.join(work, f"{index}.s"), os.path.join(work, f"{index}.o")
    run(*command, *flags, "-w", "-S", "-o", text, source, cwd=root)
    said = assembly.prepare(text, index, "mips" in " ".join(command))
    run(*command, *[f for f in flags if f.startswith("-m")], "-c", "-Wa,-L", "-o", unit, text)
    return said


def sources_of(program, root):
    package, patterns, without, flags, libraries = PROGRAMS[program]
    found = []
    for pattern in patterns:
        found += sorted(glob.glob(os.path.join(root, pattern), recursive=True))
    return [p for p in found if os.path.basename(p) not in without], flags, libraries


def build(cpu, name, program, root, out, pool):
    compiler, optimise, link = BUILDS[name]
    command, machine, prefix = tools(cpu, compiler)
    sources, flags, libraries = sources_of(program, root)
    work = out + ".part"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    all_flags = [*machine, *optimise, *flags]
    jobs = [pool.submit(compile_one, command, all_flags, s, i, work, root) for i, s in enumerate(sources)]
    said = [job.result() for job in jobs]
    units = [os.path.join(work, f"{i}.o") for i in range(len(sources))]
    full = os.path.join(work, "full")
    stubs = ["-Wl,--emit-stub-syms"] if cpu == "ppc32" else []
    run(f"{prefix}-gcc", *machine, "-o", full, *units, *link, "-Wl,--discard-none", *stubs, *libraries)
    strip_three_ways(prefix, work)
    with open(os.path.join(work, "said.json"), "w") as file:
        json.dump(said, file)
    truth.write(full, said, os.path.join(work, "truth.json"))
    for path in glob.glob(work + "/*.[so]"):
        os.remove(path)
    os.rename(work, out)


def without_unwind(path, out):
    """Blanks the tables and what leads to them. To remove their sections moves others: of a static MIPS program objcopy
    makes one whose segments overlap."""
    elf = truth.Elf(path)
    header = elf.order + ("QQIHHHHHH" if elf.wide else "IIIHHHHHH")
    programs, sections, _, _, size, count, each, _, _ = struct.unpack_from(header, elf.data, 0x20 if elf.wide else 0x1C)
    data = bytearray(elf.data)
    for i, section in enumerate(elf.sections):
        if section[0] in UNWIND:
            data[section[4]:section[4] + section[5]] = bytes(section[5])
            data[sections + i * each:sections + (i + 1) * each] = bytes(each)
    for at in range(programs, programs + count * size, size):
        if struct.unpack_from(elf.order + "I", data, at)[0] in (0x6474E550, 0x70000001):  # .eh_frame_hdr, .ARM.exidx
            struct.pack_into(elf.order + "I", data, at, 0)
    with open(out, "wb") as file:
        file.write(data)


def strip_three_ways(prefix, work):
    full = os.path.join(work, "full")
    run(f"{prefix}-strip", "-o", os.path.join(work, "strip"), full)
    without_unwind(os.path.join(work, "strip"), os.path.join(work, "no-unwind"))
    data = bytearray(open(os.path.join(work, "strip"), "rb").read())
    order = "<" if data[5] == 1 else ">"
    if data[4] == 1:
        at = struct.unpack_from(order + "I", data, 0x20)[0]
        struct.pack_into(order + "I", data, 0x20, 0)
        struct.pack_into(order + "HHH", data, 0x2E, 0, 0, 0)
    else:
        at = struct.unpack_from(order + "Q", data, 0x28)[0]
        struct.pack_into(order + "Q", data, 0x28, 0)
        struct.pack_into(order + "HHH", data, 0x3A, 0, 0, 0)
    with open(os.path.join(work, "no-sections"), "wb") as file:
        file.write(data[:at])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--cpu", action="append", choices=CPUS)
    parser.add_argument("--build", action="append", choices=BUILDS)
    parser.add_argument("--program", action="append", choices=PROGRAMS)
    wanted = parser.parse_args()
    wanted.folder = os.path.abspath(wanted.folder)  # tools are run in folders of their own
    programs = wanted.program or list(PROGRAMS)
    roots = fetch(wanted.folder, sorted({PROGRAMS[p][0] for p in programs}))
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for cpu in wanted.cpu or CPUS:
            for name in wanted.build or BUILDS:
                for program in programs:
                    out = os.path.join(wanted.folder, cpu, name, program)
                    if os.path.isdir(out):
                        continue
                    os.makedirs(os.path.dirname(out), exist_ok=True)
                    try:
                        build(cpu, name, program, roots[PROGRAMS[program][0]], out, pool)
                        print(f"{cpu} {name} {program}", flush=True)
                    except RuntimeError as error:  # a compiler that is not here, a program this CPU cannot have
                        failed += 1
                        print(f"NOT BUILT {cpu} {name} {program}: {error}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
