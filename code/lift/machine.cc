#include "code/lift/machine.h"

#include <algorithm>

namespace assay::code::lift {

void Isa::bind(std::span<const Handler> handlers) {
  lifts.resize(set->opcode_count());
  for (const Handler& handler : handlers) {
    if (const auto opcode = set->opcode_named(handler.opcode))
      lifts[*opcode] = handler.lift;
    else
      unbound.push_back(handler.opcode);
  }
}

bool Isa::exact(const Insn& insn) const {
  if (lifts[insn.opcode] == nullptr) return false;
  for (size_t i = 0; i < insn.operand_count; ++i) {
    const uint32_t number = insn.reg(i);
    if (number != 0 && slots[number].kind != Slot::Kind::kPlain && slots[number].kind != Slot::Kind::kZero)
      return false;
  }
  return true;
}

Value Machine::read(const Slot& slot) {
  if (slot.kind == Slot::Kind::kZero) return constant(slot.bits, 0);
  ASSAY_CHECK(slot.kind == Slot::Kind::kPlain);
  return extract(get(slot.id), slot.low, slot.bits);
}

void Machine::write(const Slot& slot, Value v) {
  if (slot.kind == Slot::Kind::kZero) return;
  ASSAY_CHECK(slot.kind == Slot::Kind::kPlain);
  const unsigned whole = function().reg(slot.id).bits;
  if (slot.bits == whole) return put(slot.id, v);
  if (slot.bits == 32 && isa_.widen == Widen::kSign) return put(slot.id, sign_extend(v, whole));
  if (slot.bits == 32 && isa_.widen == Widen::kZero) return put(slot.id, zero_extend(v, whole));
  const Value kept = and_mask(get(slot.id), ~(ir::mask(slot.bits) << slot.low));
  put(slot.id, bit_or(kept, shl_by(zero_extend(v, whole), slot.low)));
}

void Machine::list(const std::vector<uint16_t>& registers, uint32_t& first, uint16_t& count) {
  auto& lists = function().lists;
  const auto begin = static_cast<std::ptrdiff_t>(lists.size());
  first = static_cast<uint32_t>(lists.size());
  for (uint16_t number : registers) {
    const Slot& slot = isa_.slots[number];
    if (slot.kind == Slot::Kind::kUnknown || slot.kind == Slot::Kind::kZero) continue;
    for (unsigned i = 0; i < slot.count; ++i) lists.push_back(static_cast<RegisterId>(slot.id + i));
  }
  std::sort(lists.begin() + begin, lists.end());
  lists.erase(std::unique(lists.begin() + begin, lists.end()), lists.end());
  count = static_cast<uint16_t>(lists.size() - first);
}

void Machine::opaque(bool leaves) {
  std::vector<uint16_t> reads, writes;
  isa_.set->reads(insn(), reads);
  isa_.set->writes(insn(), writes);
  ir::Effect effect{.name = std::string(isa_.set->opcode_name(insn().opcode)),
                    .loads = isa_.set->may_load(insn().opcode),
                    .stores = isa_.set->may_store(insn().opcode),
                    .leaves = leaves || insn().flow != Flow::kNone};
  list(reads, effect.reads, effect.read_count);
  list(writes, effect.writes, effect.write_count);
  Builder::opaque(std::move(effect));
}

void Machine::dispatch() {
  if (isa_.exact(insn()))
    isa_.lifts[insn().opcode](*this);
  else
    opaque_instruction();
}

void Machine::lift_at(size_t index) {
  const size_t before = at_;
  at_ = index;
  begin_instruction(address());
  dispatch();
  at_ = before;
}

void Machine::lift_block(std::span<const Insn> insns) {
  insns_ = insns;
  begin_block(insns.empty() ? 0 : insns.front().address);
  for (at_ = 0; at_ < insns_.size(); at_ += lifted_) {
    lifted_ = 1;
    begin_instruction(address());
    dispatch();
  }
  end_block(insns.empty() ? 0 : insns.back().end());
}

}  // namespace assay::code::lift
