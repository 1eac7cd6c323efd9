// The tables of one processor, and an instruction by them.
#include "code/translate.h"

#include "code/recipe.h"

#include <algorithm>
#include <memory>
#include <mutex>

namespace assay::code {
namespace {

std::span<const Recipe> recipes_of(Family family) {
  switch (family) {
    case Family::kMips:
      return mips_recipes();
    case Family::kArm:
      return arm_recipes();
    case Family::kAArch64:
      return aarch64_recipes();
    case Family::kX86:
      return x86_recipes();
    case Family::kPpc:
      return ppc_recipes();
    case Family::kRiscv:
      return riscv_recipes();
    case Family::kNone:
      break;
  }
  return {};
}

}  // namespace

const Translator& Translator::of(Processor processor, Dialect dialect) {
  static std::once_flag once[kProcessors][3];
  static std::unique_ptr<const Translator> all[kProcessors][3];
  const auto p = static_cast<size_t>(processor), d = static_cast<size_t>(dialect);
  std::call_once(once[p][d], [&] { all[p][d].reset(new Translator(processor, dialect)); });
  return *all[p][d];
}

std::vector<std::string_view> Translator::unknown_recipes(Processor processor) {
  const InstructionSet& set = InstructionSet::of(processor);
  std::vector<std::string_view> out;
  for (const Recipe& r : recipes_of(family_of(processor)))
    if (!set.opcode_named(r.name)) out.push_back(r.name);
  return out;
}

Translator::Translator(Processor processor, Dialect dialect)
    : processor_(processor), family_(family_of(processor)), set_(InstructionSet::of(processor, dialect)) {
  thumb_ = is_thumb(processor);
  name_slots();
  set_calls();
  rows_.resize(set_.opcode_count());
  std::vector<uint16_t> written;
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    Insn bare;
    bare.opcode = static_cast<uint16_t>(i);
    row.name = set_.opcode_name(i);
    written.clear();
    set_.writes(bare, written);
    for (const uint16_t r : written) row.writes |= masks_[r];
    row.layout = set_.layout(i);
    if (family_ != Family::kX86) row.layout.memory = -1;
    // An address that is only computed is no memory to LLVM.
    if (family_ == Family::kX86 && row.name.starts_with("LEA") && !row.name.starts_with("LEAVE")) row.layout.memory = 1;
    set_jump(row.name, row);
  }
  for (const Recipe& r : recipes_of(family_))
    if (const auto opcode = set_.opcode_named(r.name)) rows_[*opcode].recipe = &r;
}

void Translator::translate(const Insn& insn, Op& op) const {
  const Row& row = rows_[insn.opcode];
  op = Op{.address = insn.address, .flow = insn.flow, .size = insn.size};
  if (insn.flow == Flow::kJump || insn.flow == Flow::kCall) op.target = insn.target;
  op.conditional = insn.conditional;
  op.delay_slot = insn.delay_slot;
  op.likely = insn.likely;
  op.other_mode = insn.other_mode;
  op.links = insn.links;
  op.padding = row.padding;
  uint64_t writes = row.writes;
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const uint32_t r = insn.reg(i);
    if (r == 0) continue;
    const auto at = static_cast<int>(i);
    const bool listed = row.layout.list >= 0 && at >= row.layout.list;
    if (at < row.layout.written || at == row.layout.optional || listed) writes |= masks_[r];
  }
  op.forgets_flags = (writes & kFlagsBit) != 0;
  op.writes = writes & ~kFlagsBit;
  if (row.recipe) apply(*row.recipe, insn, op);
  if (row.layout.memory >= 0) memory(row, insn, op);
  if (op.has_memory) op.moves = false;
  if (op.sets_flags && family_ == Family::kArm && !op.forgets_flags) op.sets_flags = false;
  special(insn, row.name, op);
  branch(row, insn, op);
  if (family_ == Family::kPpc && op.what == Do::kCompare) op.forgets_flags = false;
  // The kernel answers, and writes where it was told to.
  if (op.flow == Flow::kSystemCall) op.writes |= system_call_clobbers_, op.what = Do::kTouch;
}

}  // namespace assay::code
