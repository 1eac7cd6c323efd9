#include "lift/words.h"

#include <algorithm>

namespace assay::code::lift {

namespace {

struct Named {
  std::string_view opcode;
  size_t first, last;  // of its operands, those that have to be words
};
constexpr Named kNamed[] = {{"ADD", 1, 2},  {"ADDi", 1, 1},  {"SUB", 1, 2},  {"SRA", 1, 1},  {"SRAV", 1, 1},
                            {"MADD", 0, 1}, {"MADDU", 0, 1}, {"MSUB", 0, 1}, {"MSUBU", 0, 1}};

std::vector<RegisterId> registers_of(const Isa& isa, const Insn& insn) {
  std::vector<RegisterId> out;
  for (const Named& n : kNamed) {
    if (n.opcode != isa.set->opcode_name(insn.opcode)) continue;
    for (size_t i = n.first; i <= n.last; ++i)  // a number has register 0, whose slot is of no kind
      if (const Slot& slot = isa.slots[insn.reg(i)]; slot.kind == Slot::Kind::kPlain) out.push_back(slot.id);
  }
  return out;
}

bool is_word(ir::Cell cell) {
  return !cell.defined || cell.value == static_cast<uint64_t>(ir::sign_extend(cell.value & 0xffffffff, 32));
}

bool lacks(const NeedsWords& needs, ir::State state) {
  ir::run(needs.before, needs.before.blocks[0], state);
  state.area->undo();
  return std::ranges::any_of(needs.registers, [&](RegisterId r) { return !is_word(state.registers[r]); });
}

}  // namespace

std::vector<NeedsWords> needing_words(const Isa& isa, std::span<const Insn> insns) {
  std::vector<NeedsWords> out;
  if (family_of(isa.set->processor()) != Family::kMips || isa.pointer != 64) return out;
  for (size_t i = 0; i < insns.size(); ++i) {
    std::vector<RegisterId> registers = registers_of(isa, insns[i]);
    if (registers.empty()) continue;
    NeedsWords& needs = out.emplace_back();
    needs.registers = std::move(registers);
    needs.before.file = &isa.file;
    // A branch before it changes nothing that an instruction in its slot reads, but for the link: an address, a word.
    Machine(isa, needs.before).lift_block(insns.first(i > 0 && insns[i - 1].delay_slot ? i - 1 : i));
  }
  return out;
}

bool without_words(const std::vector<NeedsWords>& all, const ir::State& state) {
  return std::ranges::any_of(all, [&](const NeedsWords& needs) { return lacks(needs, state); });
}

}  // namespace assay::code::lift
