// Recursive descent from everything that is known to start a function, then pointers, then prologues in the gaps.
#include "code/functions.h"

#include "code/decode.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

namespace assay::code {
namespace {

// What MIPS code loads into registers before it calls: lui, addiu, and words of the global offset table. Everything
// else forgets its destination.
class MipsConstants {
 public:
  MipsConstants(const Program& program, const InstructionSet& set) : program_(program), set_(set) {
    for (const char* name : {"LUi", "LUi64"}) add(name, kUpper);
    for (const char* name : {"ADDiu", "DADDiu"}) add(name, kAdd);
    for (const char* name : {"LW", "LW64", "LD"}) add(name, kLoad);
  }
  void forget() { known_.fill(false); }
  std::optional<uint64_t> value(uint32_t reg) const {
    const uint16_t n = number(reg);
    if (n == kGp && program_.global_pointer) return program_.global_pointer;
    return known_[n] ? std::optional(values_[n]) : std::nullopt;
  }
  void step(const Insn& insn) {
    const auto kind = kinds_.find(insn.opcode);
    if (insn.operand_count == 0 || insn.operand(0).kind != Operand::kRegister) return;
    std::optional<uint64_t> result;
    if (kind != kinds_.end()) result = evaluate(kind->second, insn);
    const uint16_t n = number(insn.reg(0));
    known_[n] = result.has_value() && n != 0;
    values_[n] = result.value_or(0);
  }

 private:
  enum Kind : uint8_t { kUpper, kAdd, kLoad };
  static constexpr uint16_t kGp = 28;
  void add(std::string_view name, Kind kind) {
    if (const auto opcode = set_.opcode_named(name)) kinds_[*opcode] = kind;
  }
  uint16_t number(uint32_t reg) const { return set_.register_encoding(reg) & 31; }
  std::optional<uint64_t> evaluate(Kind kind, const Insn& insn) const {
    if (kind == kUpper) return wrap(static_cast<uint64_t>(static_cast<int32_t>(insn.imm(1) << 16)));
    const auto base = value(insn.reg(1));
    if (!base) return std::nullopt;
    const uint64_t sum = wrap(*base + static_cast<uint64_t>(insn.imm(2)));
    return kind == kAdd ? std::optional(sum) : program_.word(sum, program_.pointer);
  }
  uint64_t wrap(uint64_t value) const { return program_.pointer == 4 ? value & 0xffffffff : value; }

  const Program& program_;
  const InstructionSet& set_;
  std::map<uint32_t, Kind> kinds_;
  std::array<bool, 32> known_{};
  std::array<uint64_t, 32> values_{};
};

struct Start {
  Processor processor;
  Found found;
  Sure sure;
  uint64_t end = 0, stated_size = 0;
  std::string name;
  bool read = false;
};

class Finder {
 public:
  explicit Finder(const Program& program) : program_(program) {
    for (const Area& area : program.code) seen_.emplace_back(area.bytes.size());
  }
  Functions run();

 private:
  Decoder& decoder(Processor processor) {
    auto& slot = decoders_[static_cast<size_t>(processor)];
    if (!slot) slot = std::make_unique<Decoder>(processor, program_.dialect);
    return *slot;
  }
  bool decode(Processor processor, uint64_t address, Insn& insn) {
    const Area* area = program_.code_at(address);
    if (!area) return false;
    return decoder(processor).decode(area->bytes.span().subspan(address - area->address), address, insn);
  }
  uint8_t* seen(uint64_t address) {
    const Area* area = program_.code_at(address);
    return area ? &seen_[static_cast<size_t>(area - program_.code.data())][address - area->address] : nullptr;
  }
  void add(const Seed& seed);
  void add(uint64_t address, Processor processor, Found found, Sure sure) {
    add({.address = address, .processor = processor, .found = found, .sure = sure});
  }
  void drain();
  void read_function(uint64_t start, Start& function);
  uint64_t read_block(uint64_t at, Start& function);
  void leave(const Insn& insn, Processor processor, MipsConstants* constants);
  void jump(const Insn& insn, Start& function);
  void pointers();
  void gaps();
  void gap(const Area& area, uint64_t from, uint64_t to, bool after_open_end);
  bool is_prologue(Processor processor, uint64_t address);
  bool is_padding(Processor processor, uint64_t address, Insn& insn);
  bool plausible(Processor processor, uint64_t address);
  Functions result();

  const Program& program_;
  std::array<std::unique_ptr<Decoder>, kProcessors> decoders_;
  std::vector<std::vector<uint8_t>> seen_;  // per area and byte: 1 where an instruction that was read lies
  std::map<uint64_t, Start> starts_;
  std::vector<uint64_t> waiting_, blocks_;
  uint64_t start_ = 0;
  std::unique_ptr<MipsConstants> constants_;
  Functions counts_;
};

void Finder::add(const Seed& s) {
  if (!program_.code_at(s.address) || s.address % instruction_alignment(s.processor) != 0) return;
  const auto [at, fresh] =
      starts_.try_emplace(s.address, Start{s.processor, s.found, s.sure, s.address, s.size, s.name});
  if (fresh) waiting_.push_back(s.address);
  if (at->second.name.empty()) at->second.name = s.name;
}

void Finder::drain() {
  while (!waiting_.empty()) {
    const uint64_t start = waiting_.back();
    waiting_.pop_back();
    Start& function = starts_.at(start);
    if (!std::exchange(function.read, true)) read_function(start, function);
  }
}

void Finder::read_function(uint64_t start, Start& function) {
  start_ = start;
  blocks_.assign(1, start);
  while (!blocks_.empty()) {
    const uint64_t at = blocks_.back();
    blocks_.pop_back();
    function.end = std::max(function.end, read_block(at, function));
  }
}

void Finder::jump(const Insn& insn, Start& function) {
  const uint64_t to = insn.target;
  const auto next = starts_.upper_bound(start_);
  const bool leaves = to < start_ || (next != starts_.end() && to >= next->first);
  if (!leaves) return blocks_.push_back(to);
  // Backwards out of the function, or past the next one: another function, called last.
  if (!insn.conditional || starts_.contains(to)) add(to, function.processor, Found::kTailCall, Sure::kMedium);
}

void Finder::leave(const Insn& insn, Processor processor, MipsConstants* constants) {
  if (insn.flow == Flow::kCall) {
    add(insn.target, insn.other_mode ? other_mode(processor) : processor, Found::kCall, Sure::kHigh);
  } else if (insn.flow == Flow::kIndirectCall) {
    ++counts_.indirect_calls;
    const auto target = constants ? constants->value(insn.reg(insn.operand_count - 1)) : std::nullopt;
    if (!target) return;
    ++counts_.indirect_calls_resolved;
    add(*target, processor, Found::kCall, Sure::kHigh);
  } else if (insn.flow == Flow::kIndirectJump) {
    ++counts_.indirect_jumps;
  }
}

// Reads one block from `at`; gives back where it ends.
uint64_t Finder::read_block(uint64_t at, Start& function) {
  const Processor processor = function.processor;
  decoder(processor).restart();
  MipsConstants* constants = constants_.get();
  if (constants) constants->forget();
  bool slot = false;
  for (Insn insn, leaving;;) {
    uint8_t* seen_here = seen(at);
    if (!seen_here || (*seen_here && !slot) || (at != start_ && !slot && starts_.contains(at))) return at;
    if (!decode(processor, at, insn)) {
      counts_.undecodable += insn.size;
      return at;
    }
    ++counts_.instructions;
    for (uint64_t i = 0; i < insn.size; ++i)
      if (uint8_t* byte = seen(at + i)) *byte = 1;
    at += insn.size;
    if (constants) constants->step(insn);
    if (!slot && insn.delay_slot) {
      leaving = insn;
      // What is called is decided before the slot runs.
      leave(insn, processor, constants);
      slot = true;
      continue;
    }
    const Insn& last = slot ? leaving : insn;
    if (!slot) leave(insn, processor, constants);
    slot = false;
    if (last.flow == Flow::kJump) jump(last, function);
    if (!last.falls_through()) return at;
    const bool call = last.flow == Flow::kCall || last.flow == Flow::kIndirectCall;
    // A call that does not return is followed by the next function.
    if (call && is_prologue(processor, at)) return at;
    if (call && constants) constants->forget();
  }
}

// How a function begins on each processor: it makes room on the stack, saves what it must, or marks a landing place.
bool Finder::is_prologue(Processor processor, uint64_t address) {
  decoder(processor).restart();
  Insn insn;
  if (!decode(processor, address, insn)) return false;
  const InstructionSet& set = decoder(processor).set();
  const std::string_view name = set.opcode_name(insn.opcode);
  const auto sp = [&](size_t i) {
    const std::string_view reg = set.register_name(insn.reg(i));
    return reg == "SP" || reg == "SP_64" || reg == "R1" || reg == "X1" || reg == "X2";
  };
  switch (family_of(processor)) {
    case Family::kMips:
      if (name == "LUi" || name == "LUi64") return set.register_encoding(insn.reg(0)) == 28;
      return (name == "ADDiu" || name == "DADDiu") && sp(0) && sp(1) && insn.imm(2) < 0;
    case Family::kArm:
      if (name == "tPUSH") return insn.operand(insn.operand_count - 1).value == set.register_named("LR");
      if (name == "STMDB_UPD" || name == "t2STMDB_UPD")
        return sp(0) && insn.operand(insn.operand_count - 1).value == set.register_named("LR");
      return name == "STR_PRE_IMM" && set.register_name(insn.reg(1)) == "LR";
    case Family::kAArch64:
      if (name == "STPXpre") return insn.reg(0) != 0 && set.register_name(insn.reg(3)) == "SP";
      return (name == "SUBXri" && sp(0) && sp(1)) || (name == "HINT" && (insn.imm(0) == 34 || insn.imm(0) == 25));
    case Family::kX86:
      return name == "ENDBR64" || name == "ENDBR32" ||
             ((name == "PUSH64r" || name == "PUSH32r") && set.register_name(insn.reg(0)).ends_with("BP"));
    case Family::kPpc:
      return (name == "STWU" || name == "STDU") && sp(0) && insn.imm(2) < 0;
    case Family::kRiscv:
      return (name == "C_ADDI" || name == "C_ADDI16SP" || name == "ADDI") && sp(0) &&
             insn.imm(insn.operand_count - 1) < 0;
    case Family::kNone:
      break;
  }
  return false;
}

bool Finder::is_padding(Processor processor, uint64_t address, Insn& insn) {
  if (!decode(processor, address, insn)) return true;  // so does what is no instruction
  const std::string_view name = decoder(processor).set().opcode_name(insn.opcode);
  if (name.starts_with("NOOP") || name == "INT3" || name == "UDF" || name == "C_NOP" || name == "NOP") return true;
  if (name == "HINT" || name == "tHINT" || name == "t2HINT") return insn.imm(0) == 0;
  const Area* area = program_.code_at(address);
  const Bytes bytes = area->bytes.head(insn.size, address - area->address);
  if (bytes.size() == 0) return true;
  const bool zero = is_run(bytes) && bytes[0] == 0;
  return zero ||
         (family_of(processor) == Family::kPpc && name == "ORI" && insn.reg(0) == insn.reg(1) && insn.imm(2) == 0);
}

// Runs to an end of some kind through valid instructions alone.
bool Finder::plausible(Processor processor, uint64_t address) {
  constexpr int kFarthest = 64;
  decoder(processor).restart();
  Insn insn;
  for (int i = 0; i < kFarthest; ++i, address += insn.size) {
    if (!decode(processor, address, insn) || insn.unpredictable) return false;
    if (insn.target != kNowhere && !program_.code_at(insn.target)) return insn.flow == Flow::kCall;
    if (insn.flow != Flow::kNone) return insn.flow != Flow::kTrap || i > 0;
  }
  return true;
}

// A pointer at code that nothing has reached yet: a function where one can begin.
void Finder::pointers() {
  for (uint64_t value : program_.pointers) {
    const Processor processor = mode_at(program_, value);
    if (value % instruction_alignment(processor) != 0) continue;
    const uint8_t* here = seen(value);
    if (!here || *here || starts_.contains(value)) continue;
    const bool prologue = is_prologue(processor, value);
    if (!prologue) continue;
    add(value, processor, Found::kPointer, Sure::kHigh);
    drain();
  }
}

void Finder::gap(const Area& area, uint64_t from, uint64_t to, bool after_open_end) {
  Processor processor = program_.processor;
  if (family_of(processor) == Family::kArm && !starts_.empty()) {
    auto before = starts_.upper_bound(from);
    processor = before == starts_.begin() ? before->second.processor : std::prev(before)->second.processor;
  }
  const uint64_t unit = instruction_alignment(processor);
  const bool sections = program_.code.size() > 1 || !area.executable;
  for (uint64_t at = (from + unit - 1) / unit * unit; at < to;) {
    const uint8_t* here = seen(at);
    if (!here || *here) {
      at += unit;
      continue;
    }
    Insn insn;
    if (is_padding(processor, at, insn)) {
      at += std::max<uint64_t>(insn.size, unit);
      continue;
    }
    if (is_prologue(processor, at) && plausible(processor, at)) {
      add(at, processor, Found::kPrologue, Sure::kMedium);
      drain();
    } else if (!after_open_end && sections && at % 4 == 0 && at - from < 64 && plausible(processor, at)) {
      add(at, processor, Found::kGap, Sure::kMedium);
      drain();
    }
    at += std::max<uint64_t>(unit, seen(at) && *seen(at) ? unit : insn.size);
  }
}

void Finder::gaps() {
  for (size_t n = 0; n < program_.code.size(); ++n) {
    const Area& area = program_.code[n];
    const std::vector<uint8_t>& seen_bytes = seen_[n];
    for (uint64_t i = 0; i < seen_bytes.size();) {
      if (seen_bytes[i]) {
        ++i;
        continue;
      }
      const auto end = std::find(seen_bytes.begin() + static_cast<ptrdiff_t>(i), seen_bytes.end(), 1);
      const auto to = static_cast<uint64_t>(end - seen_bytes.begin());
      gap(area, area.address + i, area.address + to, counts_.indirect_jumps != 0);
      i = to;
    }
  }
}

Functions Finder::result() {
  Functions out = std::move(counts_);
  for (const std::vector<uint8_t>& area : seen_) {
    out.code_bytes += area.size();
    out.unread_bytes += static_cast<uint64_t>(std::ranges::count(area, uint8_t{0}));
  }
  for (auto at = starts_.begin(); at != starts_.end(); ++at) {
    const auto next = std::next(at);
    Start& s = at->second;
    uint64_t size = s.stated_size ? s.stated_size : s.end - at->first;
    if (!s.stated_size && next != starts_.end()) size = std::min(size, next->first - at->first);
    out.all.push_back({at->first, size, s.processor, s.found, s.sure, std::move(s.name)});
  }
  return out;
}

Functions Finder::run() {
  if (family_of(program_.processor) == Family::kMips)
    constants_ = std::make_unique<MipsConstants>(program_, InstructionSet::of(program_.processor, program_.dialect));
  for (const Seed& s : program_.seeds) add(s);
  drain();
  pointers();
  gaps();
  return result();
}

}  // namespace

Functions find_functions(const Program& program) { return Finder(program).run(); }

}  // namespace assay::code
