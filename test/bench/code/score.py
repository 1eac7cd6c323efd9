#!/usr/bin/env python3
"""Holds what `assay functions` says of stripped programs against their truth (corpus.py, truth.py): one table per CPU.

    score.py ASSAY FOLDER [--cpu NAME]... [--misses]

Starts: F1 of function starts, pieces and start-up code neutral. Tables: switch dispatches resolved to exactly the
compiler's targets. Strings: uses proved by the compiler's assembly that were found, and claims it contradicts.
Exit status 1 where a figure is below what is asked: 0.99 with unwind tables, 0.97 without, tables 98 %, strings 97 %, 0 wrong.
"""
import argparse
import bisect
import glob
import json
import os
import subprocess
import sys
from collections import defaultdict

KINDS = ("strip", "no-sections", "no-unwind")
ASKED = {"strip": 0.99, "no-sections": 0.99, "no-unwind": 0.97}


def ask(assay, path):
    done = subprocess.run([assay, "functions", "--no-store", path, "--json", "-"], capture_output=True)
    if done.returncode not in (0, 4):
        raise RuntimeError(f"{path}: exit status {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")
    return json.loads(done.stdout)


def number(text):
    return int(text, 16)


class Count:
    def __init__(self):
        self.hit = self.false = self.missed = 0
        self.tables = self.tables_right = self.strings = self.strings_found = self.wrong = 0
        self.false_at, self.missed_at, self.tables_missed, self.wrong_at, self.strings_missed = [], [], [], [], []

    def f1(self):
        return 2 * self.hit / max(1, 2 * self.hit + self.false + self.missed)


def score_starts(said, truth, count, where):
    true = {number(a) for a in truth["functions"]}
    neutral = {number(a) for a in truth["neutral"]}
    ranges = truth["neutral_ranges"]
    found = {number(f["address"]) for f in said["functions"]}
    count.hit += len(true & found)
    missed = sorted(true - found)
    false = [a for a in sorted(found - true) if a not in neutral and not any(x <= a < y for x, y in ranges)]
    count.missed += len(missed)
    count.false += len(false)
    count.missed_at += [f"{where} {a:#x} {truth['functions'][hex(a)]}" for a in missed]
    count.false_at += [f"{where} {a:#x}" for a in false]


def score_tables(said, truth, count, where):
    by_place = {number(t["table"]): sorted({number(x) for x in t["targets"]}) for t in said.get("jump_tables", [])}
    for place, targets in truth["tables"].items():
        right = by_place.get(number(place)) == [number(t) for t in targets]
        count.tables += 1
        count.tables_right += right
        if not right:
            count.tables_missed.append(f"{where} table {place}, {len(targets)} targets, said {len(by_place.get(number(place), []))}")


def score_strings(said, truth, count, where):
    # A piece (.part, .cold) is held to what its own assembly says.
    starts = sorted({number(a) for kind in ("functions", "neutral", "reach") for a in truth[kind]})
    claims = defaultdict(set)
    for reference in said.get("string_references", []):
        i = bisect.bisect_right(starts, number(reference["from"])) - 1
        if i >= 0:
            claims[starts[i]].add(number(reference["to"]))
    for function, address in truth["strings"]:
        count.strings += 1
        found = number(address) in claims[number(function)]
        count.strings_found += found
        if not found:
            count.strings_missed.append(f"{where} {function} uses {address}")
    for function, addresses in claims.items():
        reach = truth["reach"].get(hex(function))
        if reach is None:
            continue  # a function of the C library: no assembly says what it uses
        for address in addresses:
            if not any(x <= address < y for x, y in reach):
                count.wrong += 1
                count.wrong_at.append(f"{where} {function:#x} uses {address:#x}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assay")
    parser.add_argument("folder")
    parser.add_argument("--cpu", action="append")
    parser.add_argument("--build", action="append")
    parser.add_argument("--misses", action="store_true", help="print each miss")
    wanted = parser.parse_args()
    counts, failed = defaultdict(Count), []
    for path in sorted(glob.glob(os.path.join(wanted.folder, "*/*/*/truth.json"))):
        folder = os.path.dirname(path)
        cpu, build, program = folder.split(os.sep)[-3:]
        if (wanted.cpu and cpu not in wanted.cpu) or (wanted.build and build not in wanted.build):
            continue
        truth = json.load(open(path))
        for kind in KINDS:
            try:
                said = ask(wanted.assay, os.path.join(folder, kind))
            except (RuntimeError, ValueError) as error:
                failed.append(str(error))
                continue
            count, where = counts[cpu, kind], f"{cpu}/{build}/{program}/{kind}"
            score_starts(said, truth, count, where)
            score_tables(said, truth, count, where)
            score_strings(said, truth, count, where)
    print(f"{'CPU':<11}{'stripped':<13}{'functions':>9}{'false':>7}{'missed':>8}{'F1':>8}{'tables':>9}{'right':>8}{'strings':>9}"
          f"{'found':>8}{'wrong':>7}")
    below = 0
    for (cpu, kind), c in sorted(counts.items(), key=lambda item: (item[0][0], KINDS.index(item[0][1]))):
        tables, strings = c.tables_right / max(1, c.tables), c.strings_found / max(1, c.strings)
        print(f"{cpu:<11}{kind:<13}{c.hit + c.missed:>9}{c.false:>7}{c.missed:>8}{c.f1():>8.4f}{c.tables:>9}{tables:>8.2%}"
              f"{c.strings:>9}{strings:>8.2%}{c.wrong:>7}")
        below += c.f1() < ASKED[kind] or (c.tables > 0 and tables < 0.98) or (c.strings > 0 and strings < 0.97) or c.wrong > 0
        if wanted.misses:
            for name in ("missed_at", "false_at", "tables_missed", "strings_missed", "wrong_at"):
                for line in getattr(c, name)[:40]:
                    print(f"    {name[:-3] if name.endswith('_at') else name}: {line}")
    for line in failed:
        print("FAILED", line)
    sys.exit(1 if below or failed or not counts else 0)


if __name__ == "__main__":
    main()
