#!/usr/bin/env python3
"""Small MIPS programs made here byte by byte: one that is in order, and others that lie (hostile ELF).

programs.py FOLDER writes all; programs.py FOLDER good writes the one in order alone. Layout: System V gABI chapters 4
and 5; instructions: MIPS32 Architecture volume II.
"""
import pathlib
import struct
import sys

TEXT, DATA = 0x400000, 0x410000
NAMES = {"_start": (0, 0x28), "_ZN4Gate4openEi": (0x30, 0x20), "choose": (0x60, 0x48)}


def lui(r, value):
    return 0x3C000000 | r << 16 | value >> 16


def addiu(t, s, value):
    return 0x24000000 | s << 21 | t << 16 | value & 0xFFFF


def lw(t, offset, s):
    return 0x8C000000 | s << 21 | t << 16 | offset & 0xFFFF


def sw(t, offset, s):
    return 0xAC000000 | s << 21 | t << 16 | offset & 0xFFFF


def jal(to):
    return 0x0C000000 | to >> 2 & 0x3FFFFFF


V0, V1, A0, SP, RA = 2, 3, 4, 29, 31
JR_RA, NOP = 0x03E00008, 0
STRING, TABLE = DATA, DATA + 0x20


def code():
    start = [addiu(SP, SP, -24), sw(RA, 20, SP), jal(TEXT + 0x30), NOP, jal(TEXT + 0x60), addiu(A0, 0, 2),
             lw(RA, 20, SP), NOP, JR_RA, addiu(SP, SP, 24), NOP, NOP]
    # Gate::open(int): a string, a comparison, a loop
    gate = [lui(V0, STRING), addiu(V0, V0, STRING & 0xFFFF), 0x10800003, NOP, 0x1480FFFF, addiu(A0, A0, -1),
            JR_RA, addiu(V0, 0, 1), NOP, NOP, NOP, NOP]
    # choose: a switch of four cases through a table
    choose = [0x2C820004, 0x1040000E, 0x00042080, lui(V1, TABLE), 0x00641821, lw(V1, TABLE & 0xFFFF, V1), 0x00600008, NOP]
    for n in range(4):
        choose += [JR_RA, addiu(V0, 0, n)]
    return start + gate + choose[:16] + [JR_RA, addiu(V0, 0, -1)]


def file_header(segments, sections, entry=TEXT, names=0, section_offset=0):
    return (b"\x7fELF\x01\x02\x01" + bytes(9) +
            struct.pack(">HHIIIIIHHHHHH", 2, 8, 1, entry, 52, section_offset, 0x1007, 52, 32, segments, 40, sections, names))


def segment(kind, offset, address, size, flags):
    return struct.pack(">IIIIIIII", kind, offset, address, address, size, size, flags, 4)


def good(names=None):
    words = code()
    text = struct.pack(f">{len(words)}I", *words)
    data = b"magic-packet-12\0".ljust(0x20, b"\0")
    data += struct.pack(">4I", *[TEXT + 0x60 + 0x20 + 8 * n for n in range(4)])
    at = 0x100
    strings, symbols = b"\0", struct.pack(">IIIBBH", 0, 0, 0, 0, 0, 0)
    for name, (offset, size) in (names or NAMES).items():
        symbols += struct.pack(">IIIBBH", len(strings), TEXT + offset, size, 0x12, 0, 1)
        strings += name.encode() + b"\0"
    section_names = b"\0.text\0.rodata\0.symtab\0.strtab\0.shstrtab\0"
    body = bytes(at - 52 - 64) + text + data
    parts, offset = [], at + len(text) + len(data)
    for part in (symbols, strings, section_names):
        parts.append((offset, part))
        offset += len(part)
    table = offset + -offset % 4

    def section(name, kind, flags, address, where, size, link=0, info=0, entry=0):
        return struct.pack(">IIIIIIIIII", section_names.find(name), kind, flags, address, where, size, link, info, 4, entry)
    sections = [bytes(40), section(b".text", 1, 6, TEXT, at, len(text)),
                section(b".rodata", 1, 2, DATA, at + len(text), len(data)),
                section(b".symtab", 2, 0, 0, parts[0][0], len(symbols), 4, 1, 16),
                section(b".strtab", 3, 0, 0, parts[1][0], len(strings)),
                section(b".shstrtab", 3, 0, 0, parts[2][0], len(section_names))]
    out = file_header(2, 6, names=5, section_offset=table)
    out += segment(1, at, TEXT, len(text), 5) + segment(1, at + len(text), DATA, len(data), 4) + body
    out += symbols + strings + section_names
    return out.ljust(table, b"\0") + b"".join(sections)


def stripped(whole=None):
    """Without its section table: what vendors ship."""
    out = bytearray(whole or good())
    struct.pack_into(">I", out, 32, 0)
    struct.pack_into(">HHH", out, 46, 0, 0, 0)
    return bytes(out)


def patched(*patches):
    out = bytearray(stripped())
    for form, at, *values in patches:
        struct.pack_into(form, out, at, *values)
    return bytes(out)


def loops_of_tables():
    """A dynamic table that names itself as every other table, and init arrays that point at themselves."""
    whole = bytearray(stripped())
    at = len(whole) + -len(whole) % 4
    address = 0x420000
    tags = [(5, address), (6, address), (4, address), (25, address), (27, 0xFFFFFFFF), (26, address), (28, 1 << 20), (7, address),
            (8, 0xFFFFFFFF), (9, 12), (17, address), (18, 0xFFFFFFF0), (19, 8), (3, address), (0x70000011, 0xFFFFFFFF),
            (0x7000000A, 0xFFFFFFFF), (0x70000013, 0xFFFFFFFF), (12, address), (13, address), (0, 0)]
    table = b"".join(struct.pack(">II", *tag) for tag in tags)
    out = file_header(4, 0) + bytes(whole[52:116])
    out += segment(1, at, address, len(table), 6) + segment(2, at, address, len(table), 6) + bytes(whole[180:])
    return out.ljust(at, b"\0") + table


def jumps_everywhere():
    """8,000 branches, each to the next but one and some back: every one starts a block."""
    words = [0x14800000 | (5 if n % 7 else (-4 * (n % 50)) & 0xFFFF) for n in range(8000)]
    text = struct.pack(">8000I", *words)
    return file_header(1, 0) + segment(1, 84, TEXT, len(text), 5) + text


def hostile():
    text = 52 + 4  # of the first program header: offset
    second = 52 + 32 + 4
    return {
        "overlapping-segments": patched((">II", second, 0x100, TEXT + 8), (">I", 52 + 32 + 24, 5)),
        "same-segment-twice": patched((">II", second, 0x100, TEXT), (">I", 52 + 32 + 24, 7)),
        "segment-past-the-end": patched((">I", text + 12, 0xFFFFFFF0), (">I", text + 16, 0xFFFFFFF0)),
        "segment-wraps": patched((">II", text, 0x100, 0xFFFFFFF0)),
        "entry-in-data": patched((">I", 24, DATA)),
        "entry-nowhere": patched((">I", 24, 0x7FFFFFF1)),
        "entry-odd": patched((">I", 24, TEXT + 2)),
        "count-of-segments": patched((">H", 44, 0xFFFF)),
        "count-of-sections": patched((">I", 32, 0x34), (">HHH", 46, 40, 0xFFFF, 0xFFFE)),
        "sections-of-no-size": patched((">I", 32, 0x34), (">HHH", 46, 0, 0x7000, 1)),
        "class-64": patched((">B", 4, 2)),
        "other-order": patched((">B", 5, 1)),
        "machine-arm": patched((">H", 18, 40)), "machine-x86-64": patched((">H", 18, 62)),
        "machine-unknown": patched((">H", 18, 0x1234)),
        "relocatable": patched((">H", 16, 1)),
        "cyclic-tables": loops_of_tables(), "jumps-everywhere": jumps_everywhere(),
        "header-alone": good()[:52], "no-segments": patched((">H", 44, 0)),
        "cut-in-text": good()[:0x140], "all-ones": b"\x7fELF\x01\x02\x01" + b"\xff" * 300,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "good").write_bytes(good())
    if len(sys.argv) > 2:
        return
    (folder / "stripped").write_bytes(stripped())
    for name, content in hostile().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
