#!/usr/bin/env python3
"""coverage.py PROGRAM EDGES: of each format's source file, how many of its edges the inputs of a fuzz target reached.

EDGES is what the program wrote with ASSAY_COVERAGE=EDGES (coverage.h). Which format an address belongs to is in the
program's symbol table: a local function's namespace, which has the format's name, as sources are joined; or the file
whose name the symbols of a source that is not joined follow. What several files share (templates) is not counted, nor
joined files without such a namespace. Many edges lead only to what a refusal, a read past the end or a check of the
sanitizers has to say.
"""
import bisect
import collections
import pathlib
import re
import struct
import subprocess
import sys

formats = {path.stem for path in (pathlib.Path(__file__).resolve().parents[2] / "unpack/formats").glob("*.cc")}


def namespace(symbol):
    """Of a mangled name, the namespace within assay::unpack."""
    m = re.match(r"_ZN?K?5assay6unpack(\d+)", symbol)
    return symbol[m.end():m.end() + int(m.group(1))].removesuffix("_file") if m else ""


def functions(program):
    """(address, end, format) of each function that is a format's own, sorted."""
    out, file = [], ""
    table = subprocess.run(["readelf", "-sW", program], check=True, capture_output=True, text=True, errors="replace").stdout
    for line in table.splitlines():
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[3] == "FILE":
            file = fields[7].strip().rsplit("/", 1)[-1].removesuffix(".cc")
        elif len(fields) == 8 and fields[3] == "FUNC" and fields[4] == "LOCAL":
            owner = next((name for name in (namespace(fields[7]), file) if name in formats), None)
            if owner:
                address, size = int(fields[1], 16), int(fields[2], 0)
                out.append((address, address + size, owner))
    return sorted(out)


def base(program):
    headers = subprocess.run(["readelf", "-lW", program], check=True, capture_output=True, text=True).stdout
    return min(int(m.group(1), 16) for m in re.finditer(r"^ +LOAD +0x[0-9a-f]+ (0x[0-9a-f]+)", headers, re.M))


def main(program, edges):
    known = functions(program)
    starts = [start for start, _, _ in known]
    first = base(program)
    total, reached = collections.Counter(), collections.Counter()
    for at, hit in struct.iter_unpack("<QB", pathlib.Path(edges).read_bytes()):
        i = bisect.bisect_right(starts, at + first) - 1
        if i >= 0 and at + first < known[i][1]:
            total[known[i][2]] += 1
            reached[known[i][2]] += hit
    for file in sorted(total):
        print(f"{file:24} {reached[file]:6} of {total[file]:6} edges  {100 * reached[file] / total[file]:5.1f} %")
    unreached = [file for file in sorted(total) if reached[file] * 10 < total[file]]
    print(f"{len(total)} formats, {sum(reached.values())} of {sum(total.values())} edges, "
          f"{100 * sum(reached.values()) / max(1, sum(total.values())):.1f} %; below a tenth: {' '.join(unreached) or 'none'}")


main(*sys.argv[1:])
