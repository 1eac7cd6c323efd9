// Instructions that no row of a table can say, processor by processor.
#include "code/bits.h"
#include "code/translate.h"

namespace assay::code {

namespace {

// ARM: bytes that a push takes of the stack, or (negative) a pop gives back; 0: neither. Both list their registers
// last.
int64_t pushed(const Insn& insn, std::string_view n) {
  constexpr size_t kListAlone = 2, kListAfterBase = 4;
  const bool short_one = n == "tPUSH" || n == "tPOP";
  const bool push = n == "tPUSH" || n.ends_with("STMDB_UPD") || n == "VSTMDDB_UPD";
  const bool pop = n == "tPOP" || n.ends_with("LDMIA_UPD") || n == "VLDMDIA_UPD";
  const size_t first = short_one ? kListAlone : kListAfterBase;
  if ((!push && !pop) || insn.operand_count <= first) return 0;
  const auto size = static_cast<int64_t>((insn.operand_count - first) * (n.front() == 'V' ? 8 : 4));
  return push ? size : -size;
}

// AArch64: what a load or store of general registers adds to the register that its address is in.
int64_t stack_step(const Insn& insn, std::string_view n) {
  const bool pair = n == "STPXpre" || n == "LDPXpost", one = n == "STRXpre" || n == "LDRXpost";
  if (pair && insn.operand_count == 5) return 8 * insn.imm(4);
  return one && insn.operand_count == 4 ? insn.imm(3) : 0;
}

}  // namespace

// Opcodes that need a word of their own.
void Translator::special(const Insn& insn, std::string_view n, Op& op) const {
  const auto same = [&](size_t i, size_t j) { return insn.reg(i) != 0 && insn.reg(i) == insn.reg(j); };
  switch (family_) {
    case Family::kX86: {
      if (n.starts_with("LEA") && op.dst == op.base && op.index == kNoSlot && op.displacement == 0) op.padding = true;
      if (n.starts_with("MOV32rr") && processor_ == Processor::kX86 && same(0, 1)) op.padding = true;
      // The accumulator is not listed.
      const bool on_a = n.ends_with("32i32") || n.ends_with("64i32") || n.ends_with("8i8") || n.ends_with("16i16");
      if (on_a && insn.operand_count == 1 && op.what == Do::kNothing) {
        const bool add = n.starts_with("ADD"), subtract = n.starts_with("SUB"), mask = n.starts_with("AND"),
                   compare = n.starts_with("CMP") || n == "SUB8i8";
        op.a = 0, op.imm = insn.imm(0);
        op.half = n.find("32") != n.npos && n.find("64") == n.npos;
        if (n.find("8i8") != n.npos) op.width = 1;
        if (n.find("16i16") != n.npos) op.width = 2;
        if (compare) op.what = Do::kCompare;
        const bool whole = n.ends_with("i32");  // less than 32 bits leave the rest as it was
        if (whole && (add || subtract || mask))
          op.dst = 0, op.what = add ? Do::kAdd : subtract ? Do::kSubtract : Do::kAnd, op.sets_flags = subtract;
      }
      if (n.starts_with("TEST") && op.what == Do::kCompare) {
        if (op.a == op.b && op.a != kNoSlot)
          op.b = kNoSlot, op.imm = 0;
        else
          op.what = Do::kNothing;
      }
      if (n == "CDQE") op.what = Do::kNarrow, op.dst = op.a = 0, op.width = 4, op.is_signed = true;
      if (op.links)
        op.what = Do::kPush, op.imm = static_cast<int64_t>(insn.end()), op.based = true,
        op.width = is_64_bit(processor_) ? 8 : 4;
      break;
    }
    case Family::kMips:
      op.padding = n == "SLL" && op.dst == kZeroSlot;
      if (op.links) op.what = Do::kLinkNext, op.dst = 31, op.imm = static_cast<int64_t>(insn.end() + 4);
      break;
    case Family::kArm:
      op.padding = ((n == "HINT" || n == "tHINT" || n == "t2HINT") && insn.imm(0) == 0) ||
                   ((n == "MOVr" || n == "tMOVr") && same(0, 1));
      if (n == "t2TBH") op.scale = 1;
      // Where it is a return only under a condition, what follows has the stack as it was.
      if ((op.writes >> stack_pointer() & 1) != 0 && !(op.conditional && op.flow != Flow::kNone))
        if (const int64_t bytes = pushed(insn, n); bytes != 0)
          op.what = Do::kAdd, op.dst = op.a = stack_pointer(), op.imm = -bytes;
      if (op.links) op.what = Do::kLinkNext, op.dst = 14, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kAArch64:
      // Frames are taken and given back as registers are saved and restored.
      if (const int64_t bytes = stack_step(insn, n); bytes != 0 && (op.writes >> stack_pointer() & 1) != 0)
        op.what = Do::kAdd, op.dst = op.a = stack_pointer(), op.b = op.c = kNoSlot, op.imm = bytes, op.shift = 0,
        op.has_memory = false;
      op.padding = n == "HINT" && insn.imm(0) == 0;
      if (op.links) op.what = Do::kLinkNext, op.dst = 30, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kPpc:
      if (n == "MTCTR" || n == "MTCTR8") op.what = Do::kAdd, op.dst = kCount, op.a = slot(insn, 0);
      if (n == "MFLR" || n == "MFLR8") op.what = Do::kAdd, op.dst = slot(insn, 0), op.a = kLink;
      if (n == "MTLR" || n == "MTLR8") op.what = Do::kAdd, op.dst = kLink, op.a = slot(insn, 0);
      // A frame is taken and linked to the one before at once.
      if ((n == "STWU" || n == "STDU") && same(1, 3) && slot(insn, 1) == stack_pointer())
        op.what = Do::kAdd, op.dst = op.a = stack_pointer(),
        op.imm = sign_extend(static_cast<uint64_t>(insn.imm(2)), 16);
      if (n == "ORI" && same(0, 1) && insn.imm(2) == 0) op.padding = true;
      if (op.what == Do::kCompare) op.is_signed = !n.starts_with("CMPL");
      if (op.what == Do::kCompare) op.flags = static_cast<uint8_t>(fields_[insn.reg(0)]);
      // No compiler calls under a condition: hand-written code asks where it is.
      if (op.flow == Flow::kCall && op.conditional) op.flow = Flow::kJump, op.links = true;
      if (op.links) op.what = Do::kLinkNext, op.dst = kLink, op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kRiscv:
      if (op.links)
        op.what = Do::kLinkNext, op.dst = n == "C_JAL" ? Slot{1} : slot(insn, 0),
        op.imm = static_cast<int64_t>(insn.end());
      break;
    case Family::kNone:
      break;
  }
}

}  // namespace assay::code
