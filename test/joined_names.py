#!/usr/bin/env python3
"""Names that two sources of a room both keep to themselves in one namespace: `./dev` compiles a room's sources joined,
several to a piece, and which of them meet changes with every file that is added. Exit status 1 where there are any.

A declaration is told by how it is laid out (clang-format): it begins a line. Functions are told apart by their parameters'
types; two equal aliases (`using X = Y`) may meet.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = "core store elf code unpack system checks engine report certify".split()
TYPE = re.compile(r"(?:template <.*> )?(?:struct|class|union|enum class|enum) (\w+)[^;(]*\{")
ALIAS = re.compile(r"using (\w+) = (.*)")
CONSTANT = re.compile(r"(?:constexpr|const|constinit|static|thread_local) [^(=]*?(\w+)(?:\[[^=]*\])* ?[={]")
MORE = re.compile(r", (k[A-Z]\w*)(?:\[\])? = ")
FUNCTION = re.compile(r"(?!using|return|namespace|extern|struct|class|enum|template)[\w:]+[\w:<>,&* ]*[ &*](\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)? ?(?:noexcept )?[{,;(]?")
SCOPE = re.compile(r"(?:inline )?namespace ?([\w:]*) \{(.*\})?$")


def declared(line):
    """What a line that begins a declaration declares: (name, what tells it from others of that name)."""
    for kind in (TYPE, ALIAS):
        if found := kind.match(line):
            return [(found.group(1), line if kind is ALIAS else "")]
    if (found := CONSTANT.match(line)) and "(" not in line[: found.end(1)]:
        return [(name, "") for name in [found.group(1), *MORE.findall(line)]]
    if found := FUNCTION.match(line):
        types = re.sub(r" ?\b\w+(?=,|$)", "", re.sub(r" = [^,]*", "", found.group(2)))
        return [(found.group(1), types)]
    return []


def kept(source):
    """The names in unnamed namespaces, as (namespace, name, what tells it apart)."""
    scopes, template = [], ""
    for line in source.read_text().splitlines():
        if scope := SCOPE.match(line):
            if not scope.group(2):
                scopes.append(scope.group(1))
        elif line.startswith("}  // namespace"):
            scopes.pop()
        elif "" in scopes and line[:1].strip() and not line.startswith("#"):
            for name, apart in declared(template + line):
                yield "::".join(s for s in scopes if s), name, apart
            template = line + " " if line.startswith("template <") and line.endswith(">") else ""


def main():
    clashes = 0
    for room in ROOMS:
        places = collections.defaultdict(set)
        for source in sorted((ROOT / room).rglob("*.cc")):
            for key in kept(source):
                places[key].add(source.relative_to(ROOT))
        for (scope, name, apart), files in sorted(places.items()):
            if len(files) > 1 and not apart.startswith("using"):
                print(f"{scope}::{name} is declared in {' and in '.join(map(str, sorted(files)))}")
                clashes += 1
    print(f"{clashes} names meet where sources are joined" if clashes else "names of joined sources differ")
    return 1 if clashes else 0


sys.exit(main())
