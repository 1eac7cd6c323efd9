// Which opcodes branch, on what, and what an instruction that branches makes of it.
#include "code/opcode_name.h"
#include "code/translate.h"

namespace assay::code {
namespace {

Relation arm_relation(uint64_t condition) {
  using enum Relation;
  constexpr Relation kRelations[] = {kEqual,    kNotEqual,  kAboveEqual, kBelow,      kUnstated,     kUnstated,
                                     kUnstated, kUnstated,  kAbove,      kBelowEqual, kGreaterEqual, kLess,
                                     kGreater,  kLessEqual, kUnstated,   kUnstated};
  return kRelations[condition & 15];
}

Relation x86_relation(uint64_t condition) {
  using enum Relation;
  constexpr Relation kRelations[] = {kUnstated,   kUnstated,     kBelow,     kAboveEqual, kEqual,    kNotEqual,
                                     kBelowEqual, kAbove,        kLess,      kUnstated,   kUnstated, kUnstated,
                                     kLess,       kGreaterEqual, kLessEqual, kGreater};
  return condition == 8 ? kLess : condition == 9 ? kGreaterEqual : kRelations[condition & 15];
}

}  // namespace

void Translator::set_jump(std::string_view n, Row& row) const {
  using enum Relation;
  const auto compare = [&](Jump jump, Relation relation) { row.jump = jump, row.relation = relation; };
  switch (family_) {
    case Family::kX86:
      if (n.starts_with("JCC_")) row.jump = Jump::kByFlagsX86;
      if (n.starts_with("JMP") || n.starts_with("CALL")) row.through = 0;
      row.padding = n.starts_with("NOOP") || n == "INT3";
      break;
    case Family::kArm:
      row.jump = n == "tCBZ" || n == "tCBNZ" ? Jump::kRegisterAndZero : Jump::kPredicate;
      row.relation = n == "tCBZ" ? kEqual : kNotEqual;
      row.through = n == "tBLXr" ? 2 : 0;
      break;
    case Family::kAArch64:
      if (n == "Bcc") row.jump = Jump::kByFlags;
      if (n.starts_with("CBZ")) compare(Jump::kRegisterAndZero, kEqual);
      if (n.starts_with("CBNZ")) compare(Jump::kRegisterAndZero, kNotEqual);
      row.through = 0;
      break;
    case Family::kMips:
      if (one_of(n, {"BEQ", "BEQ64", "BEQL"})) compare(Jump::kRegisters, kEqual);
      if (one_of(n, {"BNE", "BNE64", "BNEL"})) compare(Jump::kRegisters, kNotEqual);
      if (one_of(n, {"BLEZ", "BLEZ64", "BLEZL"})) compare(Jump::kRegisterAndZero, kLessEqual);
      if (one_of(n, {"BGTZ", "BGTZ64", "BGTZL"})) compare(Jump::kRegisterAndZero, kGreater);
      if (one_of(n, {"BLTZ", "BLTZ64", "BLTZL"})) compare(Jump::kRegisterAndZero, kLess);
      if (one_of(n, {"BGEZ", "BGEZ64", "BGEZL"})) compare(Jump::kRegisterAndZero, kGreaterEqual);
      row.through = n.starts_with("JALR") && row.layout.written == 1 ? 1 : 0;
      break;
    case Family::kPpc:
      if (n == "gBC" || n == "gBCL") row.jump = Jump::kPpc;
      row.padding = n == "NOP";
      break;
    case Family::kRiscv:
      if (n == "BEQ") compare(Jump::kRegisters, kEqual);
      if (n == "BNE") compare(Jump::kRegisters, kNotEqual);
      if (n == "BLT") compare(Jump::kRegisters, kLess);
      if (n == "BGE") compare(Jump::kRegisters, kGreaterEqual);
      if (n == "BLTU") compare(Jump::kRegisters, kBelow);
      if (n == "BGEU") compare(Jump::kRegisters, kAboveEqual);
      if (n == "C_BEQZ") compare(Jump::kRegisterAndZero, kEqual);
      if (n == "C_BNEZ") compare(Jump::kRegisterAndZero, kNotEqual);
      row.through = n == "JALR" ? 1 : 0;
      row.padding = n == "C_NOP" || n == "NOP";
      break;
    case Family::kNone:
      break;
  }
}

void Translator::ppc_branch(const Insn& insn, Op& op) const {
  const auto bo = static_cast<uint32_t>(insn.imm(0));
  if ((bo & 16) != 0 || (bo & 4) == 0) return;  // not of a condition alone
  const std::string_view name = set_.register_name(insn.reg(1));
  op.flags = static_cast<uint8_t>(fields_[insn.reg(1)]);
  const Relation relation = name.ends_with("LT")   ? Relation::kLess
                            : name.ends_with("GT") ? Relation::kGreater
                            : name.ends_with("EQ") ? Relation::kEqual
                                                   : Relation::kUnstated;
  op.relation = (bo & 8) != 0 ? relation : opposite(relation);
}

void Translator::branch(const Row& row, const Insn& insn, Op& op) const {
  switch (row.jump) {
    case Jump::kNo:
      break;
    case Jump::kByFlagsX86:
      op.relation = x86_relation(static_cast<uint64_t>(insn.imm(1)));
      break;
    case Jump::kByFlags:
      op.relation = arm_relation(static_cast<uint64_t>(insn.imm(0)));
      break;
    case Jump::kPredicate:
      if (insn.condition != kAlways) op.relation = arm_relation(insn.condition), op.conditional = true;
      break;
    case Jump::kRegisters:
      op.compares = true, op.relation = row.relation;
      op.a = slot(insn, 0), op.b = slot(insn, 1);
      break;
    case Jump::kRegisterAndZero:
      op.compares = true, op.relation = row.relation;
      op.a = slot(insn, 0), op.b = kZeroSlot;
      break;
    case Jump::kPpc:
      ppc_branch(insn, op);
      break;
  }
  if (op.flow != Flow::kIndirectJump && op.flow != Flow::kIndirectCall) return;
  if (family_ == Family::kPpc)
    op.through = row.name.find("CTR") != std::string_view::npos ? kCount : kLink;
  else if (op.dst == 15 && family_ == Family::kArm)
    op.through = 15;
  else if (op.what == Do::kTableBranch)
    op.through = 15;
  else if (!op.through_memory)
    op.through = slot(insn, row.through);
  if (family_ == Family::kRiscv && row.through == 1) op.displacement = insn.imm(2);
}

}  // namespace assay::code
