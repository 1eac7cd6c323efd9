// Loading: areas, processor, and the starts of functions that tables of the file state.
#include "code/program.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint16_t kMips = 8, k386 = 3, kPowerPc = 20, kPowerPc64 = 21, kArmMachine = 40, kAmd64 = 62,
                   kAArch64Machine = 183, kRiscvMachine = 243;
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

void map(const elf::File& file, Program& program) {
  Room data_room(file, program), code_room(file, program);
  for (const elf::Segment& s : file.segments) {
    if (s.type != elf::kLoad) continue;
    const Bytes bytes = file.bytes.head(s.file_size, s.offset);
    if (!data_room.take(bytes, s.offset)) break;
    if (!bytes.empty() && s.address + bytes.size() > s.address)
      program.data.push_back({s.address, bytes, (s.flags & elf::kExecute) != 0});
  }
  for (const elf::Section& s : file.sections) {
    if ((s.flags & elf::kSectionAllocated) == 0 || (s.flags & elf::kSectionExecutable) == 0) continue;
    if (s.type == elf::kNoBits || is_stub_section(s.name)) continue;
    const Bytes bytes = file.bytes.head(s.size, s.offset);
    if (!code_room.take(bytes, s.offset)) break;
    if (!bytes.empty() && s.address + bytes.size() > s.address) program.code.push_back({s.address, bytes, true});
  }
  if (program.code.empty()) std::ranges::copy_if(program.data, std::back_inserter(program.code), &Area::executable);
  const auto earlier = [](const Area& a, const Area& b) { return a.address < b.address; };
  std::ranges::stable_sort(program.data, earlier);
  std::ranges::stable_sort(program.code, earlier);
  // Areas that overlap an earlier one would be read twice, in two ways.
  uint64_t end = 0;
  std::erase_if(program.code, [&](const Area& a) {
    if (a.address < end) return true;
    end = a.end();
    return false;
  });
}

void seed(Program& program, uint64_t address, Found found, Sure sure, uint64_t size = 0, std::string_view name = {}) {
  const Processor mode = mode_at(program, address);
  if (program.code_at(address) && address % instruction_alignment(mode) == 0)
    program.seeds.push_back({address, mode, found, sure, size, std::string(name)});
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
    seed(program, start, Found::kUnwind, Sure::kHigh);
  }
}

// Words of data, and addends of relocations, that point at code.
void collect_pointers(const elf::File& file, Program& program) {
  const auto keep = [&](uint64_t value) {
    if (program.code_at(value)) program.pointers.push_back(value);
  };
  for (const Area& area : program.data) {
    if (area.executable && family_of(program.processor) != Family::kArm) continue;  // ARM: literal pools lie in code
    const uint64_t skip = (program.pointer - area.address % program.pointer) % program.pointer;
    for (uint64_t i = skip; i + program.pointer <= area.bytes.size(); i += program.pointer)
      keep(program.pointer == 8 ? area.bytes.get<uint64_t>(i, program.order, "word").value_or(0)
                                : area.bytes.get<uint32_t>(i, program.order, "word").value_or(0));
  }
  constexpr uint64_t kRela = 7, kRelaSize = 8;
  const auto table = file.tag(kRela), size = file.tag(kRelaSize);
  const uint64_t record = 3 * uint64_t{program.pointer};
  if (table && size)
    for (uint64_t i = 0; i + record <= *size; i += record) {
      const auto addend = program.word(*table + i + record - program.pointer, program.pointer);
      if (!addend) break;
      keep(*addend);
    }
  std::ranges::sort(program.pointers);
  const auto rest = std::ranges::unique(program.pointers);
  program.pointers.erase(rest.begin(), rest.end());
}

const Area* area_at(const std::vector<Area>& areas, uint64_t address) {
  auto at = std::ranges::upper_bound(areas, address, {}, &Area::address);
  if (at == areas.begin()) return nullptr;
  --at;
  return address - at->address < at->bytes.size() ? &*at : nullptr;
}

}  // namespace

std::string_view name_of(Found found) {
  constexpr std::string_view kNames[] = {"symbol", "dynamic-symbol", "entry",   "init-table", "unwind-table",
                                         "call",   "tail-call",      "pointer", "prologue",   "gap"};
  return kNames[static_cast<size_t>(found)];
}
std::string_view name_of(Sure sure) {
  constexpr std::string_view kNames[] = {"certain", "high", "medium"};
  return kNames[static_cast<size_t>(sure)];
}

const Area* Program::code_at(uint64_t address) const { return area_at(code, address); }

std::optional<uint64_t> Program::word(uint64_t address, uint32_t size) const {
  const Area* area = area_at(data, address);
  if (!area) return std::nullopt;
  const uint64_t at = address - area->address;
  if (size == 8) {
    const auto wide = area->bytes.get<uint64_t>(at, order, "word");
    return wide ? std::optional(*wide) : std::nullopt;
  }
  const auto narrow = area->bytes.get<uint32_t>(at, order, "word");
  return narrow ? std::optional<uint64_t>(*narrow) : std::nullopt;
}

Processor mode_at(const Program& program, uint64_t& address) {
  if (family_of(program.processor) != Family::kArm) return program.processor;
  const Processor thumb = other_mode(program.processor);
  if (address & 1) {
    --address;
    return thumb;
  }
  if (address & 2) return thumb;
  // ARM code starts with instructions that are always executed (condition 14); as Thumb these would be branches.
  const Area* area = program.code_at(address);
  if (!area) return program.processor;
  const Order order = instruction_order(program.processor);
  for (uint64_t i = 0; i < 8; i += 4) {
    const auto word = area->bytes.get<uint32_t>(address - area->address + i, order, "word");
    if (word && (*word >> 28) != 14) return thumb;
  }
  return program.processor;
}

Result<Program> load(Bytes bytes) {
  const elf::File file = TRY(elf::read(bytes));
  Program program;
  program.processor = processor_of(file.header);
  if (program.processor == Processor::kUnknown)
    return fail(Fault::kUnsupported, "machine " + elf::machine_name(file.header), bytes.base() + 18);
  if (file.header.type == elf::kRelocatable)
    return fail(Fault::kUnsupported, "code of relocatable files is not read yet", bytes.base() + 16);
  program.dialect = dialect_of(file.header);
  program.order = file.header.order;
  program.pointer = file.header.bits == 64 ? 8 : 4;
  program.problems = file.problems;
  map(file, program);
  if (program.code.empty()) return fail(Fault::kUnsupported, "nothing in the file is executable", bytes.base());
  constexpr uint64_t kGotTag = 3, kGpBias = 0x7ff0;
  if (const auto got = file.tag(kGotTag); got && file.header.machine == kMips) program.global_pointer = *got + kGpBias;
  if (file.header.entry != 0) seed(program, file.header.entry, Found::kEntry, Sure::kCertain);
  if (const auto symbols = elf::section_symbols(file)) seed_symbols(*symbols, Found::kSymbol, program);
  if (const auto symbols = elf::dynamic_symbols(file)) seed_symbols(*symbols, Found::kDynamicSymbol, program);
  seed_arrays(file, program);
  seed_unwind(file, program);
  seed_arm_unwind(file, program);
  collect_pointers(file, program);
  return program;
}

}  // namespace assay::code
