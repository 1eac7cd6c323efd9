// Which flags instructions of AArch64 read and surely write, before they are lifted.
// Source: ARM DDI 0487, chapter C6; a test holds it to what is lifted.
#include "code/lift/aarch64.h"

#include <string>

namespace assay::code::lift::aarch64 {
namespace {

enum class Use : uint8_t { kUnknown, kWrites, kReadsCarry, kAddsCarry, kBranches, kSelects, kCompares };

struct Flagged {
  std::string_view opcode;  // ?: W or X
  Use use;
};
constexpr Flagged kFlagged[] = {
    {"ADDS?ri", Use::kWrites},   {"ADDS?rs", Use::kWrites},   {"ADDS?rx", Use::kWrites},   {"SUBS?ri", Use::kWrites},
    {"SUBS?rs", Use::kWrites},   {"SUBS?rx", Use::kWrites},   {"ANDS?ri", Use::kWrites},   {"ANDS?rs", Use::kWrites},
    {"BICS?rs", Use::kWrites},   {"ADC?r", Use::kReadsCarry}, {"SBC?r", Use::kReadsCarry}, {"ADCS?r", Use::kAddsCarry},
    {"SBCS?r", Use::kAddsCarry}, {"CSEL?r", Use::kSelects},   {"CSINC?r", Use::kSelects},  {"CSINV?r", Use::kSelects},
    {"CSNEG?r", Use::kSelects},  {"CCMP?i", Use::kCompares},  {"CCMP?r", Use::kCompares},  {"CCMN?i", Use::kCompares},
    {"CCMN?r", Use::kCompares},  {"Bcc", Use::kBranches},
};

FlagUse flag_use(const Isa& isa, const Insn& insn) {
  const auto use = static_cast<Use>(isa.flag_kinds[insn.opcode]);
  const FlagUse unknown{.reads = isa.flags, .known = false};
  if (use == Use::kUnknown) {
    const bool plain = insn.flow != Flow::kSystemCall && insn.flow != Flow::kTrap && !isa.may_touch_flags(insn);
    return plain ? FlagUse{} : unknown;
  }
  if (!isa.exact(insn)) return unknown;
  const auto condition = [&](size_t operand) {
    return read_by_condition(kFlags, static_cast<unsigned>(insn.imm(operand)));
  };
  switch (use) {
    case Use::kWrites:
      return {.writes = isa.flags};
    case Use::kReadsCarry:
      return {.reads = bit_of(kFlags.c)};
    case Use::kAddsCarry:
      return {.reads = bit_of(kFlags.c), .writes = isa.flags};
    case Use::kBranches:
      return {.reads = condition(0)};
    case Use::kSelects:
      return {.reads = condition(3)};
    default:
      return {.reads = condition(3), .writes = isa.flags};
  }
}

}  // namespace

void bind_flag_use(Isa& isa) {
  isa.note_flags();
  isa.flag_kinds.resize(isa.set->opcode_count());
  const auto note = [&](std::string_view name, Use use) {
    if (const auto opcode = isa.set->opcode_named(name)) isa.flag_kinds[*opcode] = static_cast<uint8_t>(use);
  };
  for (const auto& [opcode, use] : kFlagged) {
    std::string name(opcode);
    const size_t at = name.find('?');
    for (const char width : {'W', 'X'}) {
      if (at != name.npos) name[at] = width;
      note(name, use);
    }
  }
  for (const char* name : {"ADDSXrx64", "SUBSXrx64"}) note(name, Use::kWrites);
  isa.flag_use = flag_use;
}

}  // namespace assay::code::lift::aarch64
