"""Reads the compilers' assembly: which labels a switch may jump to, which names each function's instructions use.

Both compilers drop local labels or repeat them in every file. prepare() gives each a name of its own, so that they live
on in the linked program's symbol table, and adds a label where a branch table (ARM: `addls pc, pc, …`) begins.
"""
import re

# Local labels: gcc's .L12 .LC3 .LANCHOR0 (MIPS: $L12 $LC3), clang's .LBB0_1 .LJTI0_0 .L.str (MIPS: $BB0_1 $JTI0_0 $.str).
LOCAL = re.compile(r"(?<![\w.$])\.L(?=[\w.])")
LOCAL_MIPS = re.compile(r"(?<![\w.$])(?:\.L(?=[\w.])|\$(?=L|BB|JTI|tmp|func_|CPI|\.|__))")
LABEL_LINE = re.compile(r"^([.$\w][\w.$]*):")
TYPE_LINE = re.compile(r"^\s*\.type\s+([^,\s]+)\s*,\s*[@%]function")
DATA = re.compile(r"^\s*\.(?:word|long|quad|4byte|8byte|2byte|short|hword|half|byte|value|xword|gpword|gpdword|dword|int)"
                  r"\s+(.*)$")
NAME = re.compile(r"[.$A-Za-z_][\w.$]*(?:\s*\+\s*\d+(?!\w))?")
CODE_LABEL = re.compile(r"^(?:\.L|\$)u\d+\.(?:L?\d+|BB\d+_\d+|tmp\d+)$")
TABLE_LABEL = re.compile(r"^(?:\.L|\$)u\d+\.(?:L?\d+|JTI\d+_\d+)$")
BRANCH_TABLE = re.compile(r"^\s*add(?:ls)?\s+pc, pc, ")
SECTION = re.compile(r"^\s*\.(?:section\s+(\S+)|(text|data|bss|rdata|previous|pushsection)\b)")
FORWARD = re.compile(r"(?<![\w.$])(\d+)\+([.$A-Za-z_][\w.$]*)")  # 4+.LC6
ALIAS = re.compile(r"^\s*\.set\s+([.$\w]+)\s*,\s*([.$A-Za-z_][\w.$]*)$")  # .set .LC17,.LC8
ALIGN = re.compile(r"^\s*\.(?:p2align|align|balign|section|data_region|text|previous|set)\b")


def prepare(path, unit, mips):
    """Rewrites the file in place. Returns {"tables": {label: [label]}, "uses": {marker: [name]}, "pools": {label: [name]}}."""
    local = LOCAL_MIPS if mips else LOCAL
    with open(path, errors="surrogateescape") as file:
        lines = [local.sub(lambda m: m.group(0) + f"u{unit}.", line) for line in file]
    reader = Reader(unit)
    out = []
    for line in lines:
        out += reader.take(line)
    with open(path, "w", errors="surrogateescape") as file:
        file.writelines(out)
    return {"tables": reader.tables, "uses": reader.uses, "pools": reader.pools}


class Reader:
    def __init__(self, unit):
        self.unit, self.count = unit, 0
        self.typed, self.tables, self.uses, self.pools = set(), {}, {}, {}
        self.label = None  # the last label, while only data follow it
        self.function = None
        self.in_text = True
        self.branches = None  # label of the branch table that is being read

    def take(self, line):
        code = re.split(r"\s(?:#|//|@) |\s//|^\s*[#@]", line, maxsplit=1)[0].rstrip()
        if not code.strip():
            return [line]
        code = FORWARD.sub(r"\2+\1", code)
        if match := SECTION.match(code):
            self.in_text = ".text" in (match.group(1) or "." + match.group(2))
        if match := ALIAS.match(code):
            self.pools[match.group(1)] = self.pools.setdefault(match.group(2), [])
        if match := TYPE_LINE.match(code):
            self.typed.add(match.group(1))
        if match := LABEL_LINE.match(code):
            return self.take_label(match.group(1), line)
        if data := DATA.match(code):
            self.take_data(data.group(1))
            return [line]
        if code.lstrip().startswith("."):
            if not ALIGN.match(code):
                self.label = None
            return [line]
        return self.take_instruction(code, line)

    def take_label(self, name, line):
        self.label = name
        if name not in self.typed:
            return [line]
        self.count += 1
        self.function = f".Lu{self.unit}.F{self.count}"
        self.uses[self.function] = []
        return [line, f"{self.function}:\n"]

    def take_data(self, operands):
        names = NAME.findall(operands)
        if not self.label or not names:
            return
        if TABLE_LABEL.match(self.label) and CODE_LABEL.match(names[0]):
            self.tables.setdefault(self.label, []).append(names[0])
        else:
            self.pools.setdefault(self.label, []).append(names[0])
            if self.function and self.in_text:  # a literal pool behind the function that reads it
                self.uses[self.function].append(names[0])

    def take_instruction(self, code, line):
        self.label = None
        words = code.split(None, 1)
        operands = words[1] if len(words) > 1 else ""
        if self.branches is not None:
            if self.branches == "":  # the branch for everything outside the table comes first
                self.branches = None
                self.count += 1
                self.pending = f".Lu{self.unit}.T{self.count}"
                return [line, f"{self.pending}:\n"]
        if BRANCH_TABLE.match(code):
            self.branches = ""
            return [line]
        if getattr(self, "pending", None):
            if words[0] == "b":
                self.tables.setdefault(self.pending, []).append(operands.strip())
                return [line]
            self.pending = None
        if self.function:
            self.uses[self.function] += [n for n in NAME.findall(operands) if n.startswith((".", "$")) or len(n) > 3]
        return [line]
