#include "code/lift/machine.h"

#include <algorithm>

namespace assay::code::lift {

void Isa::bind(std::string_view opcode, Lift lift) {
  lifts.resize(set->opcode_count());
  if (const auto number = set->opcode_named(opcode))
    lifts[*number] = lift;
  else
    unbound.emplace_back(opcode);
}

void Isa::bind(std::span<const Handler> handlers) {
  kinds.clear();
  for (const Slot& slot : slots) kinds.push_back(static_cast<uint8_t>(kinds.empty() ? 0 : kind_bit(slot.kind)));
  for (const Handler& handler : handlers) bind(handler.opcode, handler.lift);
}

void Isa::note_flags() {
  for (const Slot& slot : slots)
    for (unsigned i = 0; slot.kind == Slot::Kind::kFlags && i < slot.count; ++i) flags |= uint64_t{1} << (slot.id + i);
  touches_flags.resize(set->opcode_count());
  flags_operand.resize(set->opcode_count());
  std::vector<uint16_t> registers;
  Insn alone;  // without operands
  for (uint32_t opcode = 0; opcode < set->opcode_count(); ++opcode) {
    flags_operand[opcode] = set->layout(opcode).optional;
    registers.clear();
    alone.opcode = static_cast<uint16_t>(opcode);
    set->reads(alone, registers);
    set->writes(alone, registers);
    for (uint16_t number : registers)
      if (slots[number].kind == Slot::Kind::kFlags) touches_flags[opcode] = 1;
  }
}

bool Isa::may_touch_flags(const Insn& insn) const {
  if (touches_flags[insn.opcode] != 0 || insn.condition < kAlways) return true;
  const int operand = flags_operand[insn.opcode];
  return operand >= 0 && slots[insn.reg(static_cast<size_t>(operand))].kind == Slot::Kind::kFlags;
}

bool Isa::exact(const Insn& insn) const {
  if (lifts[insn.opcode] == nullptr || insn.unpredictable) return false;
  if (unpredictable != nullptr && unpredictable(*this, insn)) return false;
  return (kinds_of(insn) & (kind_bit(Slot::Kind::kUnknown) | kind_bit(Slot::Kind::kToken))) == 0;
}

Value Machine::read(const Slot& slot) {
  if (slot.kind == Slot::Kind::kZero) return constant(slot.bits, 0);
  if (slot.kind == Slot::Kind::kCounter) return constant(slot.bits, address() + isa_.counter_ahead);
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

void Machine::list(uint32_t& first, uint16_t& count) {
  auto& lists = function().lists;
  const size_t begin = lists.size();
  first = static_cast<uint32_t>(begin);
  for (uint16_t number : named_) {
    const Slot& slot = isa_.slots[number];
    if (slot.kind == Slot::Kind::kUnknown || slot.kind == Slot::Kind::kZero || slot.kind == Slot::Kind::kCounter)
      continue;
    for (unsigned i = 0; i < slot.count; ++i) lists.push_back(static_cast<RegisterId>(slot.id + i));
  }
  std::sort(lists.begin() + begin, lists.end());
  lists.resize(static_cast<size_t>(std::unique(lists.begin() + begin, lists.end()) - lists.begin()));
  count = static_cast<uint16_t>(lists.size() - first);
}

void Machine::opaque(bool leaves) {
  ir::Effect effect{.name = isa_.set->opcode_name(insn().opcode),
                    .loads = isa_.set->may_load(insn().opcode),
                    .stores = isa_.set->may_store(insn().opcode),
                    .leaves = leaves || insn().flow != Flow::kNone};
  named_.clear();
  isa_.set->reads(insn(), named_);
  list(effect.reads, effect.read_count);
  named_.clear();
  isa_.set->writes(insn(), named_);
  list(effect.writes, effect.write_count);
  Builder::opaque(effect);
}

void Machine::dispatch() {
  if (isa_.begin != nullptr) isa_.begin(*this);
  if (isa_.exact(insn()))
    isa_.lifts[insn().opcode](*this);
  else
    opaque_instruction();
  if (isa_.end != nullptr) isa_.end(*this);
}

void Machine::lift_at(size_t index) {
  const size_t before = at_;
  at_ = index;
  begin_instruction(address());
  dispatch();
  at_ = before;
}

void Machine::lift(std::span<const Insn> insns, std::span<const uint64_t> wanted) {
  insns_ = insns;
  for (at_ = 0; at_ < insns_.size(); at_ += lifted_) {
    lifted_ = 1;
    wanted_ = wanted.empty() ? ~uint64_t{0} : wanted[at_];
    begin_instruction(address());
    dispatch();
  }
}

void Machine::lift_block(std::span<const Insn> insns) {
  begin_block(insns.empty() ? 0 : insns.front().address);
  lift(insns);
  end_block(insns.empty() ? 0 : insns.back().end());
}

bool has_lifter(Processor processor) {
  switch (processor) {
    case Processor::kMips32Be:
    case Processor::kMips32Le:
    case Processor::kMips64Be:
    case Processor::kMips64Le:
    case Processor::kPpc32:
    case Processor::kX86:
    case Processor::kX86_64:
    case Processor::kRiscv32:
    case Processor::kRiscv64:
      return true;
    default:
      return family_of(processor) == Family::kArm || family_of(processor) == Family::kAArch64;
  }
}

Isa make_isa(Processor processor) {
  ASSAY_CHECK(has_lifter(processor));
  switch (family_of(processor)) {
    case Family::kArm:
      return make_arm(processor);
    case Family::kAArch64:
      return make_aarch64();
    case Family::kPpc:
      return make_ppc();
    case Family::kX86:
      return make_x86(processor);
    case Family::kRiscv:
      return make_riscv(processor);
    default:
      return make_mips(processor);
  }
}

}  // namespace assay::code::lift
