#include "lift/words.h"

#include <algorithm>

namespace assay::code::lift {

namespace {

using Kind = NeedsWords::Kind;

struct Named {
  std::string_view opcode;
  size_t first, last;  // of its operands, those that have to be words
  Kind kind = Kind::kSigned;
};
constexpr Named kMips[] = {{"ADD", 1, 2},  {"ADDi", 1, 1},  {"SUB", 1, 2},  {"SRA", 1, 1},  {"SRAV", 1, 1},
                           {"MADD", 0, 1}, {"MADDU", 0, 1}, {"MSUB", 0, 1}, {"MSUBU", 0, 1}};
// With _AQ, _RL or both behind; memory is where operand 1 points.
constexpr Named kRiscv[] = {{"AMOMIN_W", 2, 2, Kind::kPositive},
                            {"AMOMAX_W", 2, 2, Kind::kPositive},
                            {"AMOMINU_W", 2, 2, Kind::kUnsigned},
                            {"AMOMAXU_W", 2, 2, Kind::kUnsigned}};

const Named* named(const Isa& isa, const Insn& insn) {
  const std::string_view opcode = isa.set->opcode_name(insn.opcode);
  const bool mips = family_of(isa.set->processor()) == Family::kMips;
  for (const Named& n : mips ? std::span<const Named>(kMips) : kRiscv)
    if (mips ? opcode == n.opcode : opcode.starts_with(n.opcode)) return &n;
  return nullptr;
}

NeedsWords needs_of(const Isa& isa, const Insn& insn, const Named& named) {
  NeedsWords out;
  out.kind = named.kind;
  const auto plain = [&](size_t i) {  // a number has register 0, whose slot is of no kind
    const Slot& slot = isa.slots[insn.reg(i)];
    return slot.kind == Slot::Kind::kPlain ? slot.id : ir::kNoRegister;
  };
  for (size_t i = named.first; i <= named.last; ++i)
    if (const RegisterId r = plain(i); r != ir::kNoRegister) out.registers.push_back(r);
  if (named.kind == Kind::kPositive) out.address = plain(1);
  return out;
}

bool fits(Kind kind, uint64_t value) {
  switch (kind) {
    case Kind::kSigned:
      return value == static_cast<uint64_t>(ir::sign_extend(value & 0xffffffff, 32));
    case Kind::kUnsigned:
      return value <= 0xffffffff;
    default:
      return value <= 0x7fffffff;
  }
}

// Whether the word in memory that `state` points at is one that is the same with and without a sign.
bool memory_fits(const NeedsWords& needs, const ir::State& state) {
  if (needs.address == ir::kNoRegister) return true;
  const uint64_t at = state.registers[needs.address].value;
  return !state.area->holds(at, 4) || state.area->bytes[at - state.area->base + 3] < 0x80;
}

bool lacks(const NeedsWords& needs, ir::State state) {
  ir::run(needs.before, needs.before.blocks[0], state);
  const bool memory = memory_fits(needs, state);
  state.area->undo();
  return !memory || !std::ranges::all_of(needs.registers, [&](RegisterId r) {
    const ir::Cell cell = state.registers[r];
    return !cell.defined || fits(needs.kind, cell.value);
  });
}

}  // namespace

std::vector<NeedsWords> needing_words(const Isa& isa, std::span<const Insn> insns) {
  std::vector<NeedsWords> out;
  const Family family = family_of(isa.set->processor());
  if ((family != Family::kMips && family != Family::kRiscv) || isa.pointer != 64) return out;
  for (size_t i = 0; i < insns.size(); ++i) {
    const Named* n = named(isa, insns[i]);
    if (n == nullptr) continue;
    NeedsWords needs = needs_of(isa, insns[i], *n);
    if (needs.registers.empty() && needs.address == ir::kNoRegister) continue;
    needs.before.file = &isa.file;
    // A branch before it changes nothing that an instruction in its slot reads, but for the link: an address, a word.
    Machine(isa, needs.before).lift_block(insns.first(i > 0 && insns[i - 1].delay_slot ? i - 1 : i));
    out.push_back(std::move(needs));
  }
  return out;
}

bool without_words(const std::vector<NeedsWords>& all, const ir::State& state) {
  return std::ranges::any_of(all, [&](const NeedsWords& needs) { return lacks(needs, state); });
}

}  // namespace assay::code::lift
