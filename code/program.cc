// Loading: areas, processor, and the starts of functions that tables of the file state.
#include "code/program.h"

#include "code/bits.h"
#include "code/go_table.h"
#include "code/object.h"
#include "code/procedures.h"
#include "code/unwind.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace assay::code {

std::string hexadecimal(uint64_t value) {
  char digits[16];
  return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
}

namespace {

constexpr uint16_t kMips = 8, k386 = 3, kPowerPc = 20, kPowerPc64 = 21, kArmMachine = 40, kAmd64 = 62,
                   kAArch64Machine = 183, kRiscvMachine = 243;
constexpr uint32_t kMicroMips = 0x02000000;  // EF_MIPS_MICROMIPS
constexpr uint32_t kUnwindSegment = 0x6474e550, kArmUnwindSegment = 0x70000001;

Processor processor_of(const elf::Header& h) {
  using enum Processor;
  const bool little = h.order == Order::kLittle, wide = h.bits == 64;
  constexpr uint32_t kAbi2 = 0x20, kBe8 = 0x00800000;
  switch (h.machine) {
    case kMips: {
      const uint32_t level = h.flags >> 28;  // 3, 4, 5, 7 (64), 10 (64r2), 12 (64r6), …: 64-bit instructions
      const bool mips64 = wide || (h.flags & kAbi2) || level == 2;
      return mips64 ? (little ? kMips64Le : kMips64Be) : (little ? kMips32Le : kMips32Be);
    }
    case kArmMachine:
      return little || (h.flags & kBe8) ? kArm : kArmBe;
    case kAArch64Machine:
      return kAArch64;
    case k386:
      return kX86;
    case kAmd64:
      return kX86_64;
    case kPowerPc:
      return little ? kUnknown : kPpc32;
    case kPowerPc64:
      return little ? kPpc64Le : kPpc64Be;
    case kRiscvMachine:
      return wide ? kRiscv64 : kRiscv32;
    default:
      return kUnknown;
  }
}

Dialect dialect_of(const elf::Header& h) {
  if (h.machine != kMips) return Dialect::kUsual;
  const uint32_t level = h.flags >> 28, mach = h.flags & 0x00ff0000;
  if (level == 9 || level == 10) return Dialect::kMipsR6;  // EF_MIPS_ARCH_32R6, 64R6
  if (mach == 0x008b0000 || mach == 0x008d0000 || mach == 0x008e0000) return Dialect::kOcteon;
  return Dialect::kUsual;
}

// Stubs that only lead to imports.
bool is_stub_section(std::string_view name) {
  return name.starts_with(".plt") || name == ".MIPS.stubs" || name == ".iplt";
}

// Segments and sections may name the same bytes again and again: what is mapped stays within twice the file.
class Room {
 public:
  Room(const elf::File& file, Program& program) : program_(program), left_(2 * uint64_t{file.bytes.size()}) {}
  bool take(const Bytes& bytes, uint64_t offset) {
    if (bytes.size() <= left_) {
      left_ -= bytes.size();
      return true;
    }
    program_.problems.push_back({Fault::kLimit, "mapped bytes exceed twice the file, the rest is not read", offset});
    return false;
  }

 private:
  Program& program_;
  uint64_t left_;
};

// A stated range of addresses as far as the file has its bytes; what is missing of it is a problem.
class Mapper {
 public:
  Mapper(const elf::File& file, Program& program, std::string_view what)
      : file_(file), program_(program), what_(what), room_(file, program) {}
  // False: enough is mapped.
  bool take(std::vector<Area>& areas, Area area, uint64_t offset, uint64_t size) {
    area.bytes = file_.bytes.head(size, offset);
    if (!room_.take(area.bytes, offset)) return false;
    if (area.bytes.size() < size)
      problem(area, " is cut off: " + std::to_string(area.bytes.size()) + " of " + std::to_string(size) +
                        " bytes are in the file");
    const uint64_t last = program_.pointer == 4 ? 0xffffffff : ~uint64_t{0} - 1;
    if (area.address > last || area.bytes.size() > last - area.address + 1)
      problem(area, " reaches past the last address and is not read");
    else if (!area.bytes.empty())
      areas.push_back(area);
    return true;
  }
  // Areas that overlap an earlier one would be read twice, in two ways.
  void settle(std::vector<Area>& areas) {
    std::ranges::stable_sort(areas, {}, &Area::address);
    uint64_t end = 0;
    std::erase_if(areas, [&](const Area& a) {
      if (a.address < end) {
        problem(a, " overlaps another and is not read");
        return true;
      }
      end = a.end();
      return false;
    });
  }

 private:
  void problem(const Area& area, const std::string& says) {
    program_.problems.push_back(
        {Fault::kMalformed, std::string(what_) + " at " + hexadecimal(area.address) + says, area.bytes.base()});
  }

  const elf::File& file_;
  Program& program_;
  std::string_view what_;
  Room room_;
};

// Headers and constants often lie in the segment of the code. Linkers put .init first and .fini last of what is run.
void trim(const elf::File& file, Area& area) {
  constexpr uint64_t kInitTag = 12, kFiniTag = 13, kLongest = 0x80;  // .fini: a handful of instructions
  const auto init = file.tag(kInitTag), fini = file.tag(kFiniTag);
  if (!init || !fini || *init >= *fini) return;
  const uint64_t from = *init & ~uint64_t{3}, end = std::min(area.end(), *fini + kLongest);
  if (from < area.address || *fini >= area.end()) return;
  area.bytes = area.bytes.head(end - from, from - area.address);
  area.address = from;
}

void map(const elf::File& file, Program& program) {
  Mapper segments(file, program, "segment"), sections(file, program, "section");
  for (const elf::Segment& s : file.segments) {
    if (s.type != elf::kLoad) continue;
    const Area area{
        .address = s.address, .executable = (s.flags & elf::kExecute) != 0, .writable = (s.flags & elf::kWrite) != 0};
    if (!segments.take(program.data, area, s.offset, s.file_size)) break;
  }
  for (const elf::Section& s : file.sections) {
    if ((s.flags & elf::kSectionAllocated) == 0 || (s.flags & elf::kSectionExecutable) == 0) continue;
    if (s.type == elf::kNoBits || is_stub_section(s.name)) continue;
    if (!sections.take(program.code, {.address = s.address, .executable = true}, s.offset, s.size)) break;
  }
  segments.settle(program.data);
  program.has_sections = !program.code.empty();
  if (!program.has_sections) {
    std::ranges::copy_if(program.data, std::back_inserter(program.code), &Area::executable);
    for (Area& area : program.code) trim(file, area);
  }
  sections.settle(program.code);
}

void seed_symbols(const std::vector<elf::Symbol>& symbols, Found found, Program& program) {
  constexpr uint8_t kIndirectFunction = 10;
  for (const elf::Symbol& s : symbols)
    if ((s.type == elf::kTypeFunction || s.type == kIndirectFunction) && s.section != 0 && !s.name.empty())
      seed(program, s.value, found, Sure::kCertain, s.size, s.name);
}

void seed_arrays(const elf::File& file, Program& program) {
  constexpr uint64_t kInitTag = 12, kFiniTag = 13;
  constexpr std::pair<uint64_t, uint64_t> kArrays[] = {{25, 27}, {26, 28}, {32, 33}};  // DT_INIT_ARRAY and its size, …
  for (const uint64_t tag : {kInitTag, kFiniTag})
    if (const auto address = file.tag(tag)) seed(program, *address, Found::kInit, Sure::kCertain);
  for (const auto& [start, length] : kArrays) {
    const auto at = file.tag(start), size = file.tag(length);
    if (!at || !size) continue;
    for (uint64_t i = 0; i + program.pointer <= std::min<uint64_t>(*size, 1 << 20); i += program.pointer)
      if (const auto value = program.word(*at + i, program.pointer); value && *value != 0)
        seed(program, *value, Found::kInit, Sure::kCertain);
  }
}

// .eh_frame_hdr: version 1, encodings, then a table of pairs (start, description), both relative to the header.
void seed_unwind(const elf::File& file, Program& program) {
  constexpr uint8_t kFourBytes = 0x03, kRelativeSigned = 0x3b, kSigned = 0x1b;
  const elf::Segment* segment = file.segment(kUnwindSegment);
  if (!segment) return;
  const Bytes b = file.bytes.head(segment->file_size, segment->offset);
  if (b.size() < 12 || b[0] != 1 || b[1] != kSigned || b[2] != kFourBytes || b[3] != kRelativeSigned) return;
  const uint64_t count = b.get<uint32_t>(8, program.order, "count").value_or(0);
  for (uint64_t i = 0; i < count && 12 + 8 * i + 8 <= b.size(); ++i) {
    const auto offset = b.get<int32_t>(12 + 8 * i, program.order, "start").value_or(0);
    seed(program, segment->address + static_cast<uint64_t>(int64_t{offset}), Found::kUnwind, Sure::kCertain);
  }
}

// .ARM.exidx: pairs of words; the first is the start, 31 bits relative to itself.
void seed_arm_unwind(const elf::File& file, Program& program) {
  const elf::Segment* segment = file.segment(kArmUnwindSegment);
  if (!segment || family_of(program.processor) != Family::kArm) return;
  for (uint64_t at = segment->address; at - segment->address + 8 <= segment->file_size; at += 8) {
    const auto value = program.word(at, 4);
    if (!value) return;
    const auto offset = static_cast<int32_t>(static_cast<uint32_t>(*value) << 1) >> 1;
    const uint64_t start = (at + static_cast<uint64_t>(int64_t{offset})) & 0xffffffff;
    // The table does not say which mode its functions are in.
    if (program.code_at(start) && start % 2 == 0)
      program.seeds.push_back({.address = start, .found = Found::kUnwind, .sure = Sure::kHigh});
  }
}

// Words that dynamic relocations fill, and what with.
class Linker {
 public:
  Linker(const elf::File& file, Program& program) : file_(file), program_(program) {}
  void run() {
    constexpr uint64_t kRela = 7, kRelaSize = 8, kRel = 17, kRelSize = 18, kPlt = 23, kPltSize = 2, kPltKind = 20;
    table(kRela, kRelaSize, true);
    table(kRel, kRelSize, false);
    table(kPlt, kPltSize, file_.tag(kPltKind).value_or(kRela) == kRela);
    packed();
    if (file_.header.machine == kMips) mips_offsets();
    std::ranges::stable_sort(program_.filled, {}, &Filled::address);
    const auto rest = std::ranges::unique(program_.filled, {}, &Filled::address);
    program_.filled.erase(rest.begin(), rest.end());
  }

 private:
  // A record of DT_SYMTAB: relocations name symbols that no hash table counts.
  std::optional<elf::Symbol> symbol(uint64_t index) const {
    constexpr uint64_t kSymbols = 6;
    const auto table = file_.tag(kSymbols);
    const bool wide = program_.pointer == 8;
    if (!table || index > file_.bytes.size()) return std::nullopt;
    const uint64_t at = *table + index * (wide ? 24 : 16);
    const auto name = program_.word(at, 4), info = program_.word(at + (wide ? 4 : 12), 1);
    const auto section = program_.word(at + (wide ? 6 : 14), 2),
               value = program_.word(at + (wide ? 8 : 4), program_.pointer);
    if (!name || !info || !section || !value) return std::nullopt;
    elf::Symbol out{
        .value = *value, .type = static_cast<uint8_t>(*info & 15), .section = static_cast<uint16_t>(*section)};
    if (const auto text = file_.dynamic_text(*name, "symbol name")) out.name = *text;
    return out;
  }
  // One import a symbol.
  uint32_t import_of(uint64_t index, const elf::Symbol& s, uint64_t slot) {
    const auto [at, fresh] = by_symbol_.try_emplace(index, static_cast<uint32_t>(program_.imports.size()));
    if (fresh) program_.imports.push_back({.name = std::string(s.name), .slot = slot});
    return at->second;
  }
  void fill(uint64_t slot, uint64_t index, uint64_t addend) {
    constexpr uint8_t kThreadLocal = 6;
    const auto s = symbol(index);
    if (!s || s->type == kThreadLocal) return;
    if (s->section == 0 || s->value == 0)
      program_.filled.push_back({slot, 0, import_of(index, *s, slot)});
    else
      program_.filled.push_back({slot, s->value + addend});
  }
  void table(uint64_t where, uint64_t length, bool has_addend) {
    const auto at = file_.tag(where), size = file_.tag(length);
    if (!at || !size) return;
    const uint32_t p = program_.pointer;
    const uint64_t record = uint64_t{p} * (has_addend ? 3 : 2);
    const bool mips64 = file_.header.machine == kMips && p == 8;
    for (uint64_t i = 0; i + record <= *size; i += record) {
      const auto slot = program_.word(*at + i, p), info = program_.word(*at + i + p, mips64 ? 4 : p);
      if (!slot || !info) return;
      const uint64_t symbol = mips64 ? *info : p == 8 ? *info >> 32 : *info >> 8;
      const uint64_t addend = has_addend ? program_.word(*at + i + 2 * uint64_t{p}, p).value_or(0) : 0;
      if (symbol != 0)
        fill(*slot, symbol, addend);
      else if (has_addend)
        program_.filled.push_back({*slot, addend});
      else if (const auto value = program_.word(*slot, p))
        program_.filled.push_back({*slot, *value});
    }
  }
  // DT_RELR: an address, then bitmaps of the words behind it; the words hold their own addends.
  void packed() {
    constexpr uint64_t kRelr = 36, kRelrSize = 35;
    const auto at = file_.tag(kRelr), size = file_.tag(kRelrSize);
    const uint32_t p = program_.pointer;
    uint64_t next = 0;
    for (uint64_t i = 0; at && size && i + p <= *size; i += p) {
      const auto entry = program_.word(*at + i, p);
      if (!entry) return;
      if ((*entry & 1) == 0) {
        in_place(*entry);
        next = *entry + p;
        continue;
      }
      for (uint32_t bit = 1; bit < 8 * p; ++bit)
        if (*entry >> bit & 1) in_place(next + uint64_t{p} * (bit - 1));
      next += uint64_t{p} * (8 * p - 1);
    }
  }
  void in_place(uint64_t slot) {
    if (const auto value = program_.word(slot, program_.pointer)) program_.filled.push_back({slot, *value});
  }
  // The part of MIPS's global offset table that follows the symbol table.
  void mips_offsets() {
    constexpr uint64_t kGot = 3, kLocal = 0x7000000a, kFirst = 0x70000013, kCount = 0x70000011;
    const auto got = file_.tag(kGot), local = file_.tag(kLocal), first = file_.tag(kFirst), count = file_.tag(kCount);
    if (!got || !local || !first || !count || *count > file_.bytes.size()) return;
    for (uint64_t i = *first; i < *count; ++i) fill(*got + program_.pointer * (*local + i - *first), i, 0);
    const uint64_t entries = *local + (*count > *first ? *count - *first : 0);
    if (entries < uint64_t{1} << 24) program_.constants.push_back({*got, *got + program_.pointer * entries});
  }

  const elf::File& file_;
  Program& program_;
  std::map<uint64_t, uint32_t> by_symbol_;
};

// MIPS's table of offsets holds pages, to which instructions add.
bool is_page(const elf::File& file, const Program& program, uint64_t at, uint64_t value) {
  return file.header.machine == kMips && (value & 0xffff) == 0 && program.constant(at);
}

// Words that point at code: where addresses move, those that relocations name; else all of data.
void collect_pointers(const elf::File& file, Program& program) {
  const auto keep = [&](uint64_t value) {
    if (program.code_at(value)) program.pointers.push_back(value);
  };
  for (const Filled& f : program.filled) keep(f.value);
  const bool relocated = file.tag(7) || file.tag(17) || file.tag(36);  // DT_RELA, DT_REL, DT_RELR
  if (!program.moves || !relocated || file.header.machine == kMips)
    for (const Area& area : program.data) {
      // ARM and Thumb keep literals in code.
      if (area.executable && family_of(program.processor) != Family::kArm) continue;
      if (program.moves && file.header.machine == kMips && !area.writable) continue;
      const uint64_t skip = (program.pointer - area.address % program.pointer) % program.pointer;
      for (uint64_t i = skip; i + program.pointer <= area.bytes.size(); i += program.pointer)
        if (const uint64_t value = program.word(area.address + i, program.pointer).value_or(0);
            !is_page(file, program, area.address + i, value) && program.code_at(value))
          (area.executable ? program.literals : program.pointers).push_back(value);
    }
  settle_pointers(program);
}

// MIPS's start-up code asks where it is and adds how far $gp is from there (crt1 of the n64 ABI): bal .+8; …; lui gp,
// …; addiu gp, gp, …; daddu gp, gp, ra. As position-independent functions do, it may count from $t9, where it is
// called.
uint64_t mips_global_pointer(const Program& program, uint64_t entry) {
  constexpr uint32_t kMostWords = 16, kBal = 0x04110000, kLui = 0x3c1c0000, kAddiu = 0x279c0000, kDaddiu = 0x679c0000,
                     kHigh = 0xffff0000, kAddu = 0x00000021, kDaddu = 0x0000002d, kRa = 31, kT9 = 25, kGp = 28;
  uint64_t here = 0, distance = 0, base = 0;
  bool high = false, low = false;
  for (uint32_t i = 0; i < kMostWords; ++i) {
    const uint64_t at = entry + 4 * uint64_t{i};
    const auto word = static_cast<uint32_t>(program.word(at, 4).value_or(0));
    const auto number = static_cast<uint64_t>(sign_extend(word, 16));
    if ((word & kHigh) == kBal) here = at + 8;
    if ((word & kHigh) == kLui) distance = number << 16, high = true, low = false, base = 0;
    if (high && ((word & kHigh) == kAddiu || (word & kHigh) == kDaddiu)) distance += number, low = true;
    for (const uint32_t add : {kAddu, kDaddu})
      for (const uint32_t from : {kRa, kT9})
        if (word == (kGp << 21 | from << 16 | kGp << 11 | add) || word == (from << 21 | kGp << 16 | kGp << 11 | add))
          base = from == kRa ? here : entry;
    if (low && base != 0) return program.pointer == 4 ? (base + distance) & 0xffffffff : base + distance;
  }
  return 0;
}

void collect_constants(const elf::File& file, Program& program) {
  constexpr uint32_t kRegisters = 0x70000000, kOptions = 0x70000002;
  for (const Area& area : program.data)
    if (!area.writable) program.constants.push_back({area.address, area.end()});
  for (const elf::Segment& s : file.segments)
    if (s.type == elf::kGnuRelro) program.constants.push_back({s.address, s.address + s.memory_size});
  for (const std::string_view name : {".got", ".got2"})
    if (const elf::Section* got = file.section(name))
      program.constants.push_back({got->address, got->address + got->size});
  if (file.header.machine != kMips || program.global_pointer != 0) return;
  // A static program: the value of $gp stands in .reginfo or in .MIPS.options.
  if (const elf::Segment* s = file.segment(kRegisters))
    program.global_pointer = file.bytes.get<uint32_t>(s->offset + 20, program.order, "gp").value_or(0);
  else if (const elf::Segment* o = file.segment(kOptions))
    program.global_pointer = file.bytes.get<uint64_t>(o->offset + 32, program.order, "gp").value_or(0);
  else
    program.global_pointer = mips_global_pointer(program, file.header.entry);
  // Without sections its table of offsets is what $gp reaches from there on.
  const uint64_t table = program.global_pointer - kGpBias;
  if (const Area* area = file.section(".got") ? nullptr : program.data_at(table); area && program.global_pointer != 0)
    program.constants.push_back({table, area->end()});
}

// RISC-V's start-up code sets gp once, to __global_pointer$ (psABI, "Global Offset Table and gp"): auipc gp, …; addi
// gp, gp, …. What is set twice to different values is not known.
uint64_t riscv_global_pointer(const Program& program) {
  constexpr uint32_t kAuipcGp = 0x197, kAddiGpGp = 0x18193, kOpcodeAndTo = 0xfff, kAllButNumber = 0xfffff;
  uint64_t found = 0;
  for (const Area& area : program.code) {
    const auto word = [&](size_t at) { return area.bytes.get<uint32_t>(at, Order::kLittle, "gp").value_or(0); };
    for (size_t at = 0; at + 8 <= area.bytes.size(); at += 2) {
      if (std::to_integer<uint8_t>(area.bytes.span()[at]) != (kAuipcGp & 0xff)) continue;
      const uint32_t upper = word(at), lower = word(at + 4);
      if ((upper & kOpcodeAndTo) != kAuipcGp || (lower & kAllButNumber) != kAddiGpGp) continue;
      const auto high = static_cast<uint64_t>(sign_extend(upper & ~kOpcodeAndTo, 32));
      const uint64_t value = area.address + at + high + static_cast<uint64_t>(sign_extend(lower >> 20, 12));
      if (found != 0 && found != value) return 0;
      found = value;
    }
  }
  return program.pointer == 4 ? found & 0xffffffff : found;
}

const Area* area_at(const std::vector<Area>& areas, uint64_t address) {
  auto at = std::ranges::upper_bound(areas, address, {}, &Area::address);
  if (at == areas.begin()) return nullptr;
  --at;
  return address - at->address < at->bytes.size() ? &*at : nullptr;
}

}  // namespace

std::string_view name_of(Found found) {
  constexpr std::string_view kNames[] = {"symbol",       "dynamic-symbol", "entry", "init-table",
                                         "unwind-table", "go-table",       "call",  "tail-call",
                                         "pointer",      "prologue",       "gap"};
  return kNames[static_cast<size_t>(found)];
}
std::string_view name_of(Sure sure) {
  constexpr std::string_view kNames[] = {"certain", "high", "medium"};
  return kNames[static_cast<size_t>(sure)];
}

const Area* Program::code_at(uint64_t address) const { return area_at(code, address); }

const Area* Program::data_at(uint64_t address) const { return area_at(data, address); }

const Filled* Program::filled_at(uint64_t address) const {
  const auto at = std::ranges::lower_bound(filled, address, {}, &Filled::address);
  return at != filled.end() && at->address == address ? &*at : nullptr;
}

const Range* Program::unwound_at(uint64_t address) const {
  const auto behind = std::ranges::upper_bound(unwound, address, {}, &Range::from);
  return behind != unwound.begin() && std::prev(behind)->holds(address) ? &*std::prev(behind) : nullptr;
}

bool Program::constant(uint64_t address) const {
  const auto behind = std::ranges::upper_bound(constants, address, {}, &Range::from);
  return behind != constants.begin() && std::prev(behind)->holds(address);
}

std::optional<uint64_t> Program::word(uint64_t address, uint32_t size) const {
  const Area* area = area_at(data, address);
  if (!area) return std::nullopt;
  const uint64_t at = address - area->address;
  if (size > area->bytes.size() - at) return std::nullopt;
  uint64_t value = 0;
  for (uint32_t i = 0; i < size; ++i) {
    const uint32_t byte = order == Order::kBig ? i : size - 1 - i;
    value = value << 8 | area->bytes[at + byte];
  }
  return value;
}

void seed(Program& program, uint64_t address, Found found, Sure sure, uint64_t size, std::string_view name) {
  const Processor mode = mode_at(program, address);
  if (program.code_at(address) && address % instruction_alignment(mode) == 0)
    program.seeds.push_back({address, mode, found, sure, size, std::string(name)});
}

void settle_pointers(Program& program) {
  for (auto* values : {&program.pointers, &program.literals}) {
    std::ranges::sort(*values);
    const auto rest = std::ranges::unique(*values);
    values->erase(rest.begin(), rest.end());
  }
}

uint32_t Program::import_at(uint64_t address) const {
  if (!outside.holds(address) || (address - outside.from) % kImportSize != 0) return kNoImport;
  return static_cast<uint32_t>((address - outside.from) / kImportSize);
}

Processor mode_at(const Program& program, uint64_t& address) {
  if (family_of(program.processor) != Family::kArm || (address & 1) == 0) return program.processor;
  --address;
  return other_mode(program.processor);
}

namespace {

// Ascending and apart, so that they can be searched: a file may state a million of them.
void settle(std::vector<Range>& ranges) {
  std::erase_if(ranges, [](const Range& r) { return r.to <= r.from; });
  std::ranges::sort(ranges, {}, &Range::from);
  std::vector<Range> apart;
  for (const Range& r : ranges)
    if (!apart.empty() && r.from <= apart.back().to)
      apart.back().to = std::max(apart.back().to, r.to);
    else
      apart.push_back(r);
  ranges = std::move(apart);
}

}  // namespace

Result<Program> load(Bytes bytes) {
  const elf::File file = TRY(elf::read(bytes));
  Program program;
  program.processor = processor_of(file.header);
  if (program.processor == Processor::kUnknown)
    return fail(Fault::kUnsupported, "machine " + elf::machine_name(file.header), bytes.base() + 18);
  program.dialect = dialect_of(file.header);
  program.micro_mips = file.header.machine == kMips && (file.header.flags & kMicroMips);
  program.order = file.header.order;
  program.pointer = file.header.bits == 64 ? 8 : 4;
  program.problems = file.problems;
  if (file.header.type == elf::kRelocatable) return load_object(file, std::move(program));
  map(file, program);
  if (program.code.empty()) return fail(Fault::kUnsupported, "nothing in the file is executable", bytes.base());
  constexpr uint64_t kGotTag = 3;
  if (const auto got = file.tag(kGotTag); got && file.header.machine == kMips) program.global_pointer = *got + kGpBias;
  if (file.header.entry != 0) seed(program, file.header.entry, Found::kEntry, Sure::kCertain);
  if (const auto symbols = elf::section_symbols(file)) seed_symbols(*symbols, Found::kSymbol, program);
  if (const auto symbols = elf::dynamic_symbols(file)) seed_symbols(*symbols, Found::kDynamicSymbol, program);
  collect_constants(file, program);
  if (family_of(program.processor) == Family::kRiscv) program.global_pointer = riscv_global_pointer(program);
  program.offset_table = file.tag(kGotTag).value_or(0);
  Linker(file, program).run();
  settle(program.constants);
  program.moves = file.header.type == elf::kShared;
  seed_arrays(file, program);
  seed_frames(file, program);
  if (program.unwound.empty()) seed_unwind(file, program);
  seed_arm_unwind(file, program);
  seed_procedures(file, program);
  seed_go(file, program);
  collect_pointers(file, program);
  return program;
}

}  // namespace assay::code
