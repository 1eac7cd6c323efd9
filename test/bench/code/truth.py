"""What an unstripped program and the compilers' assembly prove: where functions start, what each switch jumps to, which
strings each function uses.

truth.json: functions {address: name}, neutral [address], neutral_ranges [[from, to]], tables {address: [target]},
strings [[function, address]], reach {function: [[from, to]]} (the objects its operands name, and the strings that constant ones of them name), text [[from, to]].
"""
import bisect
import glob
import json
import os
import re
import struct
import sys

# Written by nobody who wrote the program: the C library's start-up and what linkers add (veneers, stubs).
START_UP = re.compile(
    r"^(_start|__start|_start_c|hlt|_init|_fini|deregister_tm_clones|register_tm_clones|__do_global_dtors_aux|frame_dummy|"
    r"call_weak_fn|__libc_csu_init|__libc_csu_fini|_dl_relocate_static_pie|__x86\.get_pc_thunk\..*|load_gp|.*_veneer|"
    r"__.*_from_(arm|thumb)|\.pic\..*|.*\.plt_(pic32|call)\..*|__glink.*|_?_(save|rest)(gpr|fpr|f).*)$")
NOT_CODE = (".plt", ".init", ".fini", ".iplt", ".plt.got", ".plt.sec", ".MIPS.stubs", ".glink")
PIECE = re.compile(r"\.(cold|part)(\.\d+)?$")
POOL = re.compile(r"^(?:\.L|\$)u\d+\.L?C\d+$")  # a word that holds an address: .LC3 in .got2, or a literal
ANCHOR = re.compile(r"LANCHOR|_MergedGlobals|ModuleStringPool|^\.Lu\d+\.ANCHOR")
ANCHOR_REACH = 1 << 15  # what an anchor's users add to it fits in a signed displacement
ARM, MIPS = 40, 8
RELATIVE = {20: 22, 62: 8, 183: 1027, 243: 3}  # PowerPC, x86-64, AArch64, RISC-V


class Elf:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        self.wide = self.data[4] == 2
        self.order = "<" if self.data[5] == 1 else ">"
        fields = struct.unpack_from(self.order + ("HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"), self.data, 16)
        self.machine, offset, size, count, names = fields[1], fields[5], fields[10], fields[11], fields[12]
        form = self.order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII")
        self.sections = [list(struct.unpack_from(form, self.data, offset + i * size)) for i in range(count)]
        for section in self.sections:
            section[0] = self.text_at(self.sections[names][4] + section[0])
        self.filled = dict(self.relative())  # address: what the loader puts there
        self.loaded = sorted((s[3], s[3] + s[5], s[4]) for s in self.sections if s[2] & 2 and s[1] != 8 and s[3])

    def text_at(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode("latin-1")

    def relative(self):
        """Yields (address, number) of relocations that add where the program lies to a number of their own."""
        wanted = RELATIVE.get(self.machine)
        for section in self.sections:
            if section[1] != 4 or not section[2] & 2 or wanted is None:
                continue
            for at in range(section[4], section[4] + section[5], 24 if self.wide else 12):
                address, info, number = struct.unpack_from(self.order + ("QQq" if self.wide else "IIi"), self.data, at)
                if info & (0xFFFFFFFF if self.wide else 0xFF) == wanted:
                    yield address, number

    def section(self, name):
        return next((s for s in self.sections if s[0] == name), None)

    def symbols(self):
        """Yields (name, value, size, type, section index)."""
        table = self.section(".symtab")
        strings = self.sections[table[6]][4]
        for at in range(table[4], table[4] + table[5], 24 if self.wide else 16):
            if self.wide:
                name, info, _, index, value, size = struct.unpack_from(self.order + "IBBHQQ", self.data, at)
            else:
                name, value, size, info, _, index = struct.unpack_from(self.order + "IIIBBH", self.data, at)
            yield self.text_at(strings + name), value, size, info & 15, index

    def read(self, address, length):
        """Bytes at an address of the loaded program, or nothing."""
        i = bisect.bisect_right(self.loaded, (address, 1 << 65, 0)) - 1
        if i < 0 or address + length > self.loaded[i][1]:
            return b""
        return self.data[self.loaded[i][2] + address - self.loaded[i][0]:][:length]


UNNAMED = 16  # bytes


def unnamed(elf, symbols, code):
    """Code that is in no symbol's extent: parts of libraries whose symbols their makers removed. Nobody says what it is."""
    extents = sorted((value & ~1 if elf.machine in (ARM, MIPS) else value, size) for _, value, size, _, index in symbols
                     if index in code and size)
    for i in code:
        at, end = elf.sections[i][3], elf.sections[i][3] + elf.sections[i][5]
        for start, size in [e for e in extents if at <= e[0] < end] + [(end, 0)]:
            if start - at >= UNNAMED:
                yield [at, start]
            at = max(at, start + size)


def functions_of(elf, symbols):
    functions, neutral, ranges = {}, set(), []
    code = {i for i, s in enumerate(elf.sections) if s[2] & 4}
    for name in NOT_CODE:
        if section := elf.section(name):
            ranges.append([section[3], section[3] + section[5]])
    for name, value, size, kind, index in symbols:
        if index not in code or kind == 3:
            continue
        address = value & ~1 if elf.machine in (ARM, MIPS) and kind in (2, 10) else value
        if START_UP.match(name):
            neutral.add(address)
            ranges.append([address, address + max(size, 4)])
        elif kind in (2, 10) and (PIECE.search(name) or size == 0):
            neutral.add(address)  # a piece of another function, or a hand-written label without an extent
        elif kind in (2, 10):
            functions.setdefault(address, (name, size))
    ranges += unnamed(elf, symbols, code)
    inside = [a for a in functions if any(x <= a < y for x, y in ranges)]
    for address in inside:
        del functions[address]
    return functions, neutral - set(functions), ranges


def gather(units):
    tables, uses, pools = {}, {}, {}
    for unit in units:
        tables.update(unit["tables"])
        uses.update(unit["uses"])
        pools.update(unit["pools"])
    return tables, uses, pools


def resolve_tables(named, places, mask):
    out, lost = {}, 0
    for label, targets in named.items():
        if label in places and all(t in places for t in targets):
            out[places[label]] = sorted({places[t] & mask for t in targets})
        else:
            lost += 1
    return out, lost


def is_string(elf, address):
    raw = elf.read(address - 1, 5)
    return len(raw) == 5 and raw[0] == 0 and all(32 <= c < 127 for c in raw[1:])


def string_end(elf, address):
    """Behind the text at an address: linkers let one string end in another, so that a label may lie within it."""
    raw = elf.read(address, 1)
    while raw and raw != b"\0":
        address += 1
        raw = elf.read(address, 1)
    return address


def constant_pointers(elf, begin, end):
    """Strings that an object names which the program never writes: what is loaded from it is known as well."""
    for name, _, flags, address, _, size, *_ in elf.sections:
        if not (flags & 2 and address <= begin < address + size) or (flags & 1 and not name.startswith(".data.rel.ro")):
            continue
        step, form = (8, "Q") if elf.wide else (4, "I")
        for at in range(-(-begin // step) * step, min(end, address + size) - step + 1, step):
            raw = elf.read(at, step)
            value = elf.filled.get(at) or (struct.unpack(elf.order + form, raw)[0] if len(raw) == step else 0)
            if value and is_string(elf, value):
                yield value


def split_name(name):
    base, _, plus = name.partition("+")
    return base.strip(), int(plus) if plus.strip() else 0


def strings_of(elf, symbols, uses, pools, places, mask):
    """Strings each function's operands name, and the objects those operands reach."""
    data = {i for i, s in enumerate(elf.sections) if s[2] & 2 and not s[2] & 4}
    objects, of_name = set(), {}
    for name, value, _, _, index in symbols:
        if index in data and name:
            objects.add(value)
            of_name.setdefault(name, set()).add(value)
    objects = sorted(objects)
    used, reach = set(), {}
    for marker, names in uses.items():
        if marker not in places:
            continue
        function, found = places[marker] & mask, set()
        for name in names:
            base, plus = split_name(name)
            behind = pools.get(base, []) if POOL.match(base) else []
            for one, more in [(base, plus), *[split_name(n) for n in behind]]:
                for value in of_name.get(one, ()):
                    found.add((value, more, bool(ANCHOR.search(one))))
        for base, more, anchor in found:
            address = base + more
            i = bisect.bisect_right(objects, address)
            end = objects[i] if i < len(objects) else address + 4096
            span = [address - ANCHOR_REACH, address + ANCHOR_REACH] if anchor else [base, max(end, string_end(elf, address), address + 1)]
            reach.setdefault(function, []).append(span)
            if not anchor:
                reach[function] += [[a, string_end(elf, a) + 1] for a in constant_pointers(elf, base, span[1])]
            if not anchor and is_string(elf, address):
                used.add((function, address))
    return used, reach


def write(full, units, out):
    elf = Elf(full)
    symbols = list(elf.symbols())
    mask = ~1 if elf.machine in (ARM, MIPS) else ~0
    places = {name: value for name, value, *_ in symbols if name}
    functions, neutral, ranges = functions_of(elf, symbols)
    named, uses, pools = gather(units)
    tables, lost = resolve_tables(named, places, mask)
    used, reach = strings_of(elf, symbols, uses, pools, places, mask)
    with open(out, "w") as file:
        json.dump({
            "functions": {hex(a): name for a, (name, _) in sorted(functions.items())},
            "neutral": [hex(a) for a in sorted(neutral)],
            "neutral_ranges": sorted(ranges),
            "tables": {hex(a): [hex(t) for t in targets] for a, targets in sorted(tables.items())},
            "tables_without_label": lost,
            "strings": sorted([hex(f), hex(a)] for f, a in used),
            "reach": {hex(f): sorted(reach[f]) for f in sorted(reach)},
            "text": [[s[3], s[3] + s[5]] for s in elf.sections if s[2] & 4],
        }, file)


def main():
    for said in sorted(glob.glob(os.path.join(sys.argv[1], "*/*/*/said.json"))):
        folder = os.path.dirname(said)
        with open(said) as file:
            write(os.path.join(folder, "full"), json.load(file), os.path.join(folder, "truth.json"))


if __name__ == "__main__":
    main()
