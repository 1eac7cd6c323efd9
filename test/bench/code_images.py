#!/usr/bin/env python3
"""Reading machine code held against its goals: code_images.py BUILD.

  speed      CPU seconds of one process over the programs of every image of ../shared/firmware (or $ASSAY_FIRMWARE) and of
             some of this machine (code_speed.cc): millions of instructions a second, decoded alone and read whole, per processor
  images     `assay inspect` without a store, with and without code: wall and CPU seconds, their difference, and the most that
             all processes held at one time (PSS)
  growth     one program's code so many times over, 100 kB to 50 MB: seconds and peak, a table and build/bench-code.svg
  large      one function of 10,000 to 1,000,000 instructions and one of 1,000 to 100,000 blocks, written as assembly

A goal that is missed is printed as missed and the exit status is 1.
"""
import io
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile

from inspect_images import cpu_and_wall, firmware, machine, number, peak_memory, print_table

LEAST_DECODED, LEAST_WHOLE = 5.0, 2.0  # millions of instructions a second
MOST_SECONDS, MOST_MIB = 3.0, 500.0    # all code of one image, on two cores
SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, 50_000_000)
MOST_CURVE = 2.0                       # time a byte of the largest to that of the smallest
HERE = [p for p in map(shutil.which, ("python3", "git", "openssl", "bash", "perl")) if p]


def programs_of(assay, image, folder):
    """Every ELF file of the image, each content once, as files."""
    archive = subprocess.run([assay, "export", "--no-store", image, "-o", "-"], capture_output=True).stdout
    found = {}
    if archive:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for entry in tar:
                content = tar.extractfile(entry).read() if entry.isreg() and entry.size > 52 else b""
                if content.startswith(b"\x7fELF"):
                    found.setdefault(content, None)
    paths = []
    for content in found:
        paths.append(f"{folder}/{len(paths)}")
        pathlib.Path(paths[-1]).write_bytes(content)
    return paths


def speeds(build, paths):
    """Per processor: bytes, instructions, seconds of decoding, instructions, seconds of reading whole."""
    out = subprocess.run([build / "test/bench/code_speed", *paths], capture_output=True, text=True, check=True).stdout
    sums = {}
    for line in out.splitlines():
        processor, *values = line.split()
        sums[processor] = [a + float(b) for a, b in zip(sums.get(processor, [0.0] * 5), values)]
    return sums


def million(count, seconds):
    return count / seconds / 1e6 if seconds > 0.005 else None


def speed_table(build):
    assay, sums, missed = str(build / "assay"), {}, []
    with tempfile.TemporaryDirectory() as folder:
        for image in firmware():
            inner = pathlib.Path(folder) / image.name
            inner.mkdir()
            for processor, row in speeds(build, programs_of(assay, image, inner) or ["/dev/null"]).items():
                sums[processor] = [a + b for a, b in zip(sums.get(processor, [0.0] * 5), row)]
        for processor, row in speeds(build, HERE).items():
            sums[processor] = [a + b for a, b in zip(sums.get(processor, [0.0] * 5), row)]
    table = [("processor", "MB of code", "decode Minsn/s", "whole Minsn/s", "whole s")]
    for processor, (size, decoded, decode_s, read, whole_s) in sorted(sums.items()):
        decode, whole = million(decoded, decode_s), million(read, whole_s)
        table.append((processor, f"{size / 1e6:.1f}", number(decode, "{:.2f}"), number(whole, "{:.2f}"), f"{whole_s:.2f}"))
        if decode and decode < LEAST_DECODED:
            missed.append(f"{processor}: {decode:.2f} Minsn/s decoded, goal {LEAST_DECODED}")
        if whole and whole < LEAST_WHOLE:
            missed.append(f"{processor}: {whole:.2f} Minsn/s read whole, goal {LEAST_WHOLE}")
    print_table(table)
    return missed


def image_table(build, runs):
    missed, table = [], [("image", "wall", "without code", "CPU", "without code", "code wall", "code CPU", "PSS MiB")]
    for image in firmware():
        command = [str(build / "assay"), "inspect", "--no-store", "--workers", "2", str(image)]
        medians = []
        for more in ([], ["--no-code"]):
            done = [cpu_and_wall(command + more) for _ in range(runs)]
            medians.append((statistics.median(d[0] for d in done), statistics.median(d[1] for d in done)))
        (cpu, wall), (cpu_without, wall_without) = medians
        pss, _ = peak_memory(command)
        table.append((image.name, f"{wall:.2f}", f"{wall_without:.2f}", f"{cpu:.2f}", f"{cpu_without:.2f}",
                      f"{wall - wall_without:.2f}", f"{cpu - cpu_without:.2f}", f"{pss:.0f}"))
        if wall - wall_without > MOST_SECONDS:
            missed.append(f"{image.name}: {wall - wall_without:.2f} s for all code, goal {MOST_SECONDS}")
        if pss > MOST_MIB:
            missed.append(f"{image.name}: {pss:.0f} MiB, goal {MOST_MIB:.0f}")
    print_table(table)
    return missed


def svg(points):
    """Seconds over megabytes, both logarithmic by hand-set decades, as a picture that any browser shows."""
    import math
    x = lambda size: 60 + 480 * (math.log10(size) - 5) / 3
    y = lambda s: 300 - 260 * (math.log10(max(s, 0.001)) + 3) / 5
    dots = "".join(f'<circle cx="{x(b):.0f}" cy="{y(s):.0f}" r="4"/>' for b, s, _ in points)
    marks = "".join(f'<text x="{x(10 ** d):.0f}" y="320">{10 ** (d - 6):g} MB</text>' for d in (5, 6, 7, 8))
    marks += "".join(f'<text x="4" y="{y(10 ** d):.0f}">{10 ** d:g} s</text>' for d in (-3, -2, -1, 0, 1, 2))
    b0, s0, _ = points[0]
    line = f'<path d="M{x(b0):.0f} {y(s0):.0f}L{x(5e7):.0f} {y(s0 * 5e7 / b0):.0f}" stroke="grey" fill="none"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="340" font-size="12">{line}{dots}{marks}</svg>\n'


def growth_table(build):
    source = next((p for p in HERE if subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout.strip() == "x86_64"), None)
    if not source:
        print("growth: not measured, this machine's programs are not x86-64")
        return []
    speed = build / "test/bench/code_speed"
    one = float(subprocess.run([speed, "--grow", HERE[-2], "1"], capture_output=True, text=True).stdout.split()[1])
    points, table = [], [("MB of code", "Minsn", "whole s", "ns a byte", "peak MiB", "")]
    for size in SIZES:
        times = max(1, round(size / one))
        lines = subprocess.run([speed, "--grow", HERE[-2], str(times)], capture_output=True, text=True).stdout.splitlines()
        values = lines[0].split()
        code, read, seconds, peak = float(values[1]), float(values[4]), float(values[5]), int(lines[1].split()[1])
        points.append((code, seconds, peak))
        table.append((f"{code / 1e6:.1f}", f"{read / 1e6:.2f}", f"{seconds:.2f}", f"{seconds / code * 1e9:.0f}",
                      f"{peak / 1024:.0f}", "#" * int(seconds / code * 1e9 / 10)))
    print_table(table)
    (build.parent / "bench-code.svg").write_text(svg(points))
    print(f"plot: {build.parent / 'bench-code.svg'}")
    middle, last = points[2], points[-1]
    curve = last[1] / last[0] / (middle[1] / middle[0])
    return [f"50 MB cost {curve:.2f} times as much a byte as 1 MB, goal {MOST_CURVE}"] if curve > MOST_CURVE else []


# Assembly of one function: its name, the text, how many instructions and blocks it has.
def straight(count):
    return f"{count} instructions", "f: " + "lea 1(%rax), %rax\n" * (count - 1) + "ret\n", count


def choices(count):
    half = count // 2
    body = "".join(f"test %edi, %edi\nje 1f\nadd %rsi, %rax\n1: shr $1, %edi\n" for _ in range(half))
    return f"{count} blocks in a loop", f"f: {body} cmp %rax, %rdx\njne f\nret\n", 4 * half + 3


def large_table(build):
    if os.uname().machine != "x86_64":
        print("large: not measured, this machine's assembler is not x86-64's")
        return []
    table, missed = [("one function of", "instructions", "read", "whole s", "ns each")], []
    with tempfile.TemporaryDirectory() as folder:
        for make, sizes in ((straight, (10_000, 100_000, 1_000_000)), (choices, (1_000, 10_000, 100_000))):
            for size in sizes:
                what, text, count = make(size)
                source, program = pathlib.Path(folder) / "f.s", pathlib.Path(folder) / "f"
                source.write_text(".globl f\n" + text)
                subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,-e,f", "-o", program, source], check=True)
                out = subprocess.run([build / "test/bench/code_speed", program], capture_output=True, text=True, check=True).stdout
                read, seconds = int(out.split()[4]), float(out.split()[5])
                table.append((what, str(count), str(read), f"{seconds:.2f}", f"{seconds / count * 1e9:.0f}"))
                if read != count:
                    missed.append(f"a function of {what}: {read} of {count} instructions read")
    print_table(table)
    return missed


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    print(f"machine: {machine()}; load {os.getloadavg()[0]:.1f} at the start")
    missed = speed_table(build)
    print()
    missed += image_table(build, int(os.environ.get("ASSAY_BENCH_RUNS", "3")))
    print()
    missed += growth_table(build)
    print()
    missed += large_table(build)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    print("goals: " + (f"{len(missed)} missed" if missed else "all met"))
    for goal in missed:
        print("  MISSED " + goal)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
