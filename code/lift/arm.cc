// ARM and Thumb-2 (ARMv4 to ARMv7, and the integer part of AArch32): control flow, registers, tables. Vectors and
// floating point are opaque, and so is what sets Q or GE.
// Source: ARM DDI 0406C, chapters A2 (registers), A8 and B1. Operand order: that of LLVM's ARM target.
//
// A predicated instruction is lifted under its condition as guard; instructions of an IT block carry theirs from the
// decoder. Targets of jumps carry the mode in bit 0, as bx takes them: 1 is Thumb. Data is read in isa.order, which
// whoever lifts a BE8 program sets to big.
#include "code/lift/arm.h"

#include <algorithm>
#include <string>

namespace assay::code::lift {

namespace arm {

namespace {

Code kind_of(const Machine& m) { return m.insn().flow == Flow::kReturn ? Code::kReturn : Code::kJump; }

}  // namespace

void jump_to(Machine& m, Value to) { m.leave(kind_of(m), to); }
void jump_within_mode(Machine& m, Value to) {
  const Value even = m.and_mask(to, ~uint64_t{is_thumb(m) ? 1U : 3U});
  m.leave(kind_of(m), is_thumb(m) ? m.or_mask(even, 1) : even);
}
void write(Machine& m, size_t operand, Value v, bool changes_mode) {
  if (!is_pc(m, operand)) return m.w(operand, v);
  return changes_mode ? jump_to(m, v) : jump_within_mode(m, v);
}

namespace {

Value target(Machine& m) {
  const bool thumb = is_thumb(m) != m.insn().other_mode;
  return m.constant(32, m.insn().target | (thumb ? 1 : 0));
}
void link(Machine& m) { m.put(kLink, m.constant(32, m.insn().end() | (is_thumb(m) ? 1 : 0))); }

void branch(Machine& m) { m.leave(Code::kJump, target(m)); }
void call(Machine& m) {
  link(m);
  if (!m.only_links()) m.leave(Code::kCall, target(m));
}
template <Code kCompare>
void compare_and_branch(Machine& m) {
  const Value a = m.r(0), c = m.compare(kCompare, a, m.like(a, 0));
  m.leave(Code::kJump, target(m), c);
}
template <size_t kOperand>
void branch_register(Machine& m) {
  jump_to(m, m.r(kOperand));
}
void branch_link_register(Machine& m) { m.leave(Code::kReturn, m.get(kLink)); }
template <size_t kOperand>
void call_register(Machine& m) {
  const Value to = m.r(kOperand);
  link(m);
  m.leave(Code::kCall, to);
}
// A table of halfwords or bytes, in units of two from the program counter.
template <unsigned kBits>
void table_branch(Machine& m) {
  const Value base = m.r(0), index = m.r(1);
  const Value at = m.add(base, m.shl_by(index, kBits == 16 ? 1 : 0));
  const Value entry = m.zero_extend(m.load(kBits, m.order(), at), 32);
  const Value to = m.add_number(m.shl_by(entry, 1), static_cast<int64_t>(m.address() + 4));
  m.leave(Code::kJump, m.or_mask(to, 1));
}
void clear_exclusive(Machine& m) { m.put(kReserved, m.constant(1, 0)); }
void no_effect(Machine&) {}  // barriers, prefetches, hints; IT, whose effect the decoder has put into what follows
template <Trap kTrap>
void trap(Machine& m) {
  m.trap(kTrap);
}

constexpr Handler kHandlers[] = {
    {"Bcc", branch},
    {"tB", branch},
    {"tBcc", branch},
    {"t2B", branch},
    {"t2Bcc", branch},
    {"tCBZ", compare_and_branch<Code::kEqual>},
    {"tCBNZ", compare_and_branch<Code::kNotEqual>},
    {"BL", call},
    {"BL_pred", call},
    {"BLXi", call},
    {"tBL", call},
    {"tBLXi", call},
    {"BX", branch_register<0>},
    {"BX_pred", branch_register<0>},
    {"BX_RET", branch_link_register},
    {"tBX", branch_register<0>},
    {"BLX", call_register<0>},
    {"BLX_pred", call_register<0>},
    {"tBLXr", call_register<2>},
    {"t2TBB", table_branch<8>},
    {"t2TBH", table_branch<16>},
    {"SVC", trap<Trap::kSystemCall>},
    {"tSVC", trap<Trap::kSystemCall>},
    {"BKPT", trap<Trap::kBreakpoint>},
    {"tBKPT", trap<Trap::kBreakpoint>},
    {"UDF", trap<Trap::kUndefined>},
    {"tUDF", trap<Trap::kUndefined>},
    {"t2UDF", trap<Trap::kUndefined>},
    {"CLREX", clear_exclusive},
    {"t2CLREX", clear_exclusive},
    {"t2IT", no_effect},
    {"HINT", no_effect},
    {"tHINT", no_effect},
    {"t2HINT", no_effect},
    {"DMB", no_effect},
    {"DSB", no_effect},
    {"ISB", no_effect},
    {"t2DMB", no_effect},
    {"t2DSB", no_effect},
    {"t2ISB", no_effect},
    {"PLDi12", no_effect},
    {"PLDrs", no_effect},
    {"t2PLDi12", no_effect},
    {"t2PLDi8", no_effect},
    {"t2PLDs", no_effect},
    {"t2PLDpci", no_effect},
};

// Around every instruction: its condition as guard.
void begin(Machine& m) {
  if (m.insn().condition < kAlways) m.set_guard(condition(m, kFlags, m.insn().condition));
}
void end(Machine& m) { m.set_guard(0); }

// Chapter A8, "Assembler syntax" and pseudocode: "if t == 15 || n == t || n == t2 then UNPREDICTABLE", and the like.
// The program counter may be written by data processing, loads of words and multiple loads alone.
bool writes_pc_by_right(std::string_view name) {
  constexpr std::string_view kMay[] = {"AND",    "EOR",    "SUB",   "RSB",   "ADD",   "ADC",    "SBC",
                                       "RSC",    "ORR",    "BIC",   "MOVr",  "MOVs",  "MOVi",   "MVN",
                                       "LDRi1",  "LDRrs",  "LDR_P", "LDM",   "t2LDM", "t2LDRi", "t2LDRs",
                                       "t2LDR_", "t2LDRp", "tMOVr", "tADDh", "tPOP"};
  if (name == "MOVi16") return false;
  return std::any_of(std::begin(kMay), std::end(kMay), [&](std::string_view may) { return name.starts_with(may); });
}
// What an opcode's name says, read once.
enum Trait : uint8_t {
  kMayWritePc = 1,
  kSeveral = 2,
  kHint = 4,
  kExclusive = 8,
  kBack = 16,
  kList = 32,
  kStore = 64,
  kMultiple = 128,
};
uint8_t traits_of(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
  const auto any_of = [&](std::initializer_list<std::string_view> all) {
    return std::ranges::any_of(all, [&](std::string_view begin) { return name.starts_with(begin); });
  };
  unsigned out = 0;
  if (writes_pc_by_right(name)) out |= kMayWritePc;
  if (any_of({"t2LDMD", "t2LDMI", "t2STMD", "t2STMI"})) out |= kSeveral;
  if (any_of({"LDM", "STM", "t2LDM", "t2STM"})) out |= kMultiple;
  if (name.ends_with("HINT")) out |= kHint;
  if (has("STREX")) out |= kExclusive;
  if (has("_PRE") || has("_POST") || name.ends_with("_UPD")) out |= kBack;
  if (name.ends_with("_UPD")) out |= kList;
  if (has("ST")) out |= kStore;
  return static_cast<uint8_t>(out);
}
bool written_base_is_data(const Isa& isa, const Insn& insn, unsigned traits) {
  if ((traits & kBack) == 0) return false;
  // The written base is tied to the one that is read: the only register named twice otherwise.
  size_t first = 0, second = 0;
  for (size_t i = 0; i < insn.operand_count && second == 0; ++i)
    for (size_t k = i + 1; k < insn.operand_count && second == 0; ++k)
      if (insn.reg(i) != 0 && insn.reg(i) == insn.reg(k) && isa.slots[insn.reg(i)].kind == Slot::Kind::kPlain)
        first = i, second = k;
  size_t times = 0;
  for (size_t i = 0; i < insn.operand_count; ++i) times += insn.reg(i) != 0 && insn.reg(i) == insn.reg(first);
  const bool stores_list = (traits & kList) != 0 && (traits & kStore) != 0;
  return second != 0 && times > 2 && !(stores_list && insn.reg(4) == insn.reg(first));
}
bool unpredictable(const Isa& isa, const Insn& insn) {
  const unsigned traits = isa.traits[insn.opcode];
  const bool counter = (isa.kinds_of(insn) & Isa::kind_bit(Slot::Kind::kCounter)) != 0;
  for (size_t i = 0; counter && i < insn.operand_count; ++i) {
    const uint32_t number = insn.reg(i);
    if (number == 0 || isa.slots[number].kind != Slot::Kind::kCounter) continue;
    std::vector<uint16_t> written;
    isa.set->writes(insn, written);
    const bool is_written = std::find(written.begin(), written.end(), number) != written.end();
    if (!is_written) continue;
    if (insn.flow == Flow::kNone || (traits & kMayWritePc) == 0) return true;
    // Data processing that writes the flags too is the return from an exception: UNPREDICTABLE in user mode.
    const int flags = isa.set->layout(insn.opcode).optional;
    if (flags >= 0 && insn.reg(static_cast<size_t>(flags)) != 0) return true;
  }
  // "if n == 15 || BitCount(registers) < 1 then UNPREDICTABLE" (A8.8.58, A8.8.199).
  if ((traits & kMultiple) != 0 && isa.slots[insn.reg(0)].kind == Slot::Kind::kCounter) return true;
  // "if BitCount(registers) < 2 then UNPREDICTABLE", of Thumb's 32-bit forms.
  if ((traits & kSeveral) != 0 && insn.operand_count < ((traits & kList) != 0 ? 6 : 5)) return true;
  // Other hints than nop wait for events, or may mean anything one day: opaque.
  if ((traits & kHint) != 0) return insn.imm(0) != 0;
  if ((traits & kExclusive) != 0) return insn.reg(0) == insn.reg(1) || insn.reg(0) == insn.reg(2);
  return written_base_is_data(isa, insn, traits);
}

void add_registers(ir::RegisterFile& file) {
  for (int i = 0; i < 13; ++i) file.add("r" + std::to_string(i), 32);
  for (const char* name : {"sp", "lr"}) file.add(name, 32);
  for (const char* flag : {"n", "z", "c", "v"}) file.add(flag, 1);
  file.add("reserved", 1);
  file.add("reserved_address", 32);
  for (int i = 0; i < 32; ++i) file.add("d" + std::to_string(i), 0);
  file.add("fpscr", 0);
}

// Names of tuples hold several numbers (D0_D2_D4, Q3_Q4): all from the first to the last.
Slot vectors(std::string_view name, const ir::RegisterFile& file) {
  unsigned first = 32, last = 0;
  for (size_t at = 1; at < name.size(); ++at) {
    if (name[at] < '0' || name[at] > '9') continue;
    unsigned number = 0;
    for (; at < name.size() && name[at] >= '0' && name[at] <= '9'; ++at)
      number = number * 10 + static_cast<unsigned>(name[at] - '0');
    first = std::min(first, number);
    last = std::max(last, number);
  }
  if (name[0] == 'Q') first *= 2, last = last * 2 + 1;
  if (name[0] == 'S') first /= 2, last /= 2;
  if (first > last || last > 31) return {};
  return {.kind = Slot::Kind::kToken,
          .id = static_cast<RegisterId>(file.find("d0") + first),
          .count = static_cast<uint8_t>(last - first + 1)};
}

Slot slot_of(std::string_view name, const ir::RegisterFile& file) {
  if (name == "PC") return {.kind = Slot::Kind::kCounter, .bits = 32};
  if (name == "CPSR" || name == "APSR" || name == "APSR_NZCV")
    return {.kind = Slot::Kind::kFlags, .id = kFlags.n, .count = 4};
  if (name.starts_with("FPSCR")) return {.kind = Slot::Kind::kToken, .id = file.find("fpscr")};
  if (name == "SP" || name == "LR") return {.kind = Slot::Kind::kPlain, .id = name == "SP" ? kSp : kLink, .bits = 32};
  const bool numbered = name.size() > 1 && name[1] >= '0' && name[1] <= '9';
  if (!numbered) return {};
  if (name[0] == 'D' || name[0] == 'Q' || name[0] == 'S') return vectors(name, file);
  if (name[0] != 'R') return {};
  if (name == "R12_SP") return {.kind = Slot::Kind::kToken, .id = 12, .count = 2};
  const auto number = static_cast<RegisterId>(std::stoul(std::string(name.substr(1))));
  if (name.find('_') != std::string_view::npos) return {.kind = Slot::Kind::kToken, .id = number, .count = 2};
  return {.kind = Slot::Kind::kPlain, .id = number, .bits = 32};
}

}  // namespace
}  // namespace arm

Isa make_arm(Processor processor) {
  Isa isa(processor);
  isa.order = instruction_order(processor);
  isa.counter_ahead = instruction_alignment(processor) == 2 ? 4 : 8;
  isa.begin = arm::begin;
  isa.end = arm::end;
  isa.unpredictable = arm::unpredictable;
  for (uint32_t opcode = 0; opcode < isa.set->opcode_count(); ++opcode)
    isa.traits.push_back(arm::traits_of(isa.set->opcode_name(opcode)));
  arm::add_registers(isa.file);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : arm::slot_of(isa.set->register_name(i), isa.file));
  isa.bind(arm::kHandlers);
  arm::bind_data(isa);
  arm::bind_memory(isa);
  arm::bind_flag_use(isa);
  return isa;
}

}  // namespace assay::code::lift
