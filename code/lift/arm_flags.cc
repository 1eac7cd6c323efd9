// Which flags instructions of ARM and Thumb read and surely write, before they are lifted. Those of data processing are
// told by their names, which begin with the operation and end with the form of the second operand.
// Source: ARM DDI 0406C, chapter A8; a test holds it to what is lifted.
#include "code/lift/arm.h"

#include <algorithm>

namespace assay::code::lift::arm {

namespace {

// What an instruction does to the flags where it says that it sets them, and what it reads in any case.
enum Use : uint8_t {
  kSets = 1,           // sign and zero, if its operand says so
  kAtAnyRate = 2,      // whatever its operands say
  kSum = 4,            // carry and overflow too
  kReadsCarry = 8,     // at all
  kMayRotate = 16,     // reads the carry if it rotates through it
  kByRegister = 32,    // leaves the carry as it is where the register holds 0
  kSetsBySecond = 64,  // the second operand says it, not the last
};

constexpr std::string_view kSums[] = {"ADD", "SUB", "RSB", "ADC", "SBC", "RSC", "CMP", "CMN"};
constexpr std::string_view kLogic[] = {"AND", "EOR", "ORR", "BIC", "ORN", "MOV", "MVN", "TST",
                                       "TEQ", "LSL", "LSR", "ASR", "ROR", "RRX", "MUL"};
constexpr std::string_view kLong[] = {"MLA", "UMULL", "SMULL", "UMLAL", "SMLAL"};
constexpr std::string_view kComparing[] = {"CMP", "CMN", "TST", "TEQ"};

template <size_t kCount>
bool begins(std::string_view name, const std::string_view (&with)[kCount]) {
  return std::ranges::any_of(with, [&](std::string_view stem) { return name.starts_with(stem); });
}

uint8_t use_of(std::string_view name) {
  const bool wide = name.starts_with("t2"), narrow = !wide && name.starts_with("t");
  const std::string_view rest = name.substr(wide ? 2 : narrow ? 1 : 0);
  const bool sum = begins(rest, kSums), exact_long = std::ranges::find(kLong, rest) != std::end(kLong);
  if (!sum && !begins(rest, kLogic) && !exact_long) return 0;
  unsigned out = kSets;
  if (narrow) out |= kSetsBySecond;
  if (begins(rest, kComparing) || name == "tMOVSr") out |= kAtAnyRate;
  if (sum) out |= kSum;
  if (rest.starts_with("ADC") || rest.starts_with("SBC") || rest.starts_with("RSC")) out |= kReadsCarry;
  if (rest == "RRX") out |= kReadsCarry;
  if (rest.ends_with("s") || rest.ends_with("si")) out |= kMayRotate;
  const bool shift = rest.starts_with("LS") || rest.starts_with("AS") || rest.starts_with("ROR");
  if (rest.ends_with("rsr") || rest.ends_with("sr") || (shift && !rest.ends_with("ri"))) out |= kByRegister;
  return static_cast<uint8_t>(out);
}

// One of its operands is a shift through the carry, or looks like one.
bool rotates(const Insn& insn) {
  for (size_t i = 0; i < insn.operand_count; ++i)
    if ((insn.imm(i) & 7) == static_cast<int64_t>(Shift::kRotateCarry)) return true;
  return false;
}

FlagUse flag_use(const Isa& isa, const Insn& insn) {
  const FlagUse unknown{.reads = isa.flags, .known = false};
  if (insn.flow == Flow::kSystemCall || insn.flow == Flow::kTrap) return unknown;
  const unsigned use = isa.flag_kinds[insn.opcode];
  const bool conditional = insn.condition < code::kAlways;
  const size_t by = (use & kSetsBySecond) != 0 ? 1 : insn.operand_count - size_t{1};
  const bool sets =
      (use & kAtAnyRate) != 0 || ((use & kSets) != 0 && isa.slots[insn.reg(by)].kind == Slot::Kind::kFlags);
  if (!sets && !conditional && (use & (kReadsCarry | kMayRotate)) == 0)
    return isa.may_touch_flags(insn) ? unknown : FlagUse{};
  if (!isa.exact(insn) || ((use & kSets) == 0 && isa.touches_flags[insn.opcode] != 0)) return unknown;
  FlagUse out;
  if (conditional) out.reads = read_by_condition(kFlags, insn.condition);
  if ((use & kReadsCarry) != 0 || ((use & kMayRotate) != 0 && rotates(insn))) out.reads |= bit_of(kFlags.c);
  if (!sets) return out;
  const uint64_t written = (use & kSum) != 0 ? all_of(kFlags) : bit_of(kFlags.n) | bit_of(kFlags.z);
  if (conditional) {  // they stay as they are if it does not hold
    out.reads |= all_of(kFlags);
    return out;
  }
  if ((use & kByRegister) != 0) out.reads |= bit_of(kFlags.c);
  out.writes = written;
  return out;
}

}  // namespace

void bind_flag_use(Isa& isa) {
  isa.note_flags();
  for (uint32_t opcode = 0; opcode < isa.set->opcode_count(); ++opcode)
    isa.flag_kinds.push_back(isa.lifts[opcode] == nullptr ? 0 : use_of(isa.set->opcode_name(opcode)));
  isa.flag_use = flag_use;
}

}  // namespace assay::code::lift::arm
