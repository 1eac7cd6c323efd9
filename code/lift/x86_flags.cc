// Which flags x86 instructions read and surely write, before they are lifted: the few that most of code consists of.
// Source: Intel's manual, volume 1, appendix A; a test holds it to what is lifted.
#include "code/lift/x86.h"

namespace assay::code::lift::x86 {

namespace {

enum class Kind : uint8_t {
  kUnknown,
  kAll,         // writes all six
  kReadsCarry,  // likewise
  kKeepsCarry,  // writes the others
  kKeepsZero,   // likewise
  kShift,       // writes all, unless its number, the last operand, is 0
  kShift64,     // the same of 64 bits
  kCondition,   // reads what its last operand says
};

constexpr uint64_t bit(RegisterId flag) { return uint64_t{1} << flag; }

// By the upper three bits of a condition's code: condition in x86.cc.
constexpr uint64_t kRead[8] = {
    bit(kOverflow),
    bit(kCarry),
    bit(kZero),
    bit(kCarry) | bit(kZero),
    bit(kSign),
    bit(kParity),
    bit(kSign) | bit(kOverflow),
    bit(kSign) | bit(kOverflow) | bit(kZero),
};

int64_t last(const Insn& insn) { return insn.operand_count == 0 ? 0 : insn.imm(insn.operand_count - size_t{1}); }

// Leaves, and looks at no flag itself.
bool plain(Flow flow, bool conditional) {
  switch (flow) {
    case Flow::kNone:
    case Flow::kJump:
      return !conditional;
    case Flow::kCall:
    case Flow::kIndirectCall:
    case Flow::kIndirectJump:
    case Flow::kReturn:
      return true;
    default:
      return false;
  }
}

FlagUse flag_use(const Isa& isa, const Insn& insn) {
  const FlagUse unknown{.reads = isa.flags, .known = false};
  const auto kind = static_cast<Kind>(isa.flag_kinds[insn.opcode]);
  if (kind == Kind::kUnknown)
    return plain(insn.flow, insn.conditional) && !isa.may_touch_flags(insn) ? FlagUse{} : unknown;
  if (!isa.exact(insn)) return unknown;
  switch (kind) {
    case Kind::kAll:
      return {.writes = isa.flags};
    case Kind::kReadsCarry:
      return {.reads = bit(kCarry), .writes = isa.flags};
    case Kind::kKeepsCarry:
      return {.writes = isa.flags & ~bit(kCarry)};
    case Kind::kKeepsZero:
      return {.writes = isa.flags & ~bit(kZero)};
    case Kind::kShift:
      return {.writes = (last(insn) & 31) != 0 ? isa.flags : 0};
    case Kind::kShift64:
      return {.writes = (last(insn) & 63) != 0 ? isa.flags : 0};
    default:
      return {.reads = kRead[last(insn) >> 1 & 7]};
  }
}

struct Names {
  std::string_view stem;
  Kind kind;
};
constexpr Names kTwo[] = {
    {"ADD", Kind::kAll},  {"OR", Kind::kAll},         {"AND", Kind::kAll},
    {"SUB", Kind::kAll},  {"XOR", Kind::kAll},        {"CMP", Kind::kAll},
    {"TEST", Kind::kAll}, {"ADC", Kind::kReadsCarry}, {"SBB", Kind::kReadsCarry},
};
constexpr Names kOne[] = {{"NEG", Kind::kAll}, {"INC", Kind::kKeepsCarry}, {"DEC", Kind::kKeepsCarry}};
constexpr Names kConditions[] = {
    {"JCC_1", Kind::kCondition},
    {"JCC_4", Kind::kCondition},
    {"SETCCr", Kind::kCondition},
    {"SETCCm", Kind::kCondition},
};
constexpr std::string_view kForms[] = {"rr",   "rm",   "mr",     "ri", "mi",  "ri8", "mi8",
                                       "ri32", "mi32", "rr_REV", "i8", "i16", "i32"};

void note(Isa& isa, const std::string& name, Kind kind) {
  const auto opcode = isa.set->opcode_named(name);
  if (opcode && isa.lifts[*opcode] != nullptr) isa.flag_kinds[*opcode] = static_cast<uint8_t>(kind);
}

template <unsigned kBits>
void note_size(Isa& isa) {
  for (const auto& [stem, kind] : kTwo)
    for (const std::string_view form : kForms)
      note(isa, sized<kBits>(std::string(stem).c_str()) + std::string(form), kind);
  for (const auto& [stem, kind] : kOne)
    for (const char* form : {"r", "m", "r_alt"}) note(isa, sized<kBits>(std::string(stem).c_str()) + form, kind);
  for (const char* stem : {"SHL", "SHR", "SAR"}) {
    for (const char* form : {"r1", "m1"}) note(isa, sized<kBits>(stem) + form, Kind::kAll);
    for (const char* form : {"ri", "mi"})
      note(isa, sized<kBits>(stem) + form, kBits == 64 ? Kind::kShift64 : Kind::kShift);
  }
  for (const char* form : {"rr", "rm"}) {
    note(isa, sized<kBits>("IMUL") + form, Kind::kAll);
    note(isa, sized<kBits>("CMOV") + form, Kind::kCondition);
  }
  for (const char* form : {"rr", "ri8", "mi8"}) note(isa, sized<kBits>("BT") + form, Kind::kKeepsZero);
}

}  // namespace

void bind_flag_use(Isa& isa) {
  isa.flag_kinds.resize(isa.set->opcode_count());
  for (const auto& [name, kind] : kConditions) note(isa, std::string(name), kind);
  note_size<8>(isa);
  note_size<16>(isa);
  note_size<32>(isa);
  note_size<64>(isa);
  isa.flag_use = flag_use;
}

}  // namespace assay::code::lift::x86
