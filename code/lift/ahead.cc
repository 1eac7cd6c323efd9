#include "code/lift/ahead.h"

#include <algorithm>

namespace assay::code::lift {

namespace {
constexpr int kMostInstructions = 8;
}

Ahead::Ahead(const Isa& isa, const Shape& shape, const ir::Options& options, Decoder& decoder)
    : isa_(isa),
      program_(*shape.program),
      decoder_(decoder),
      mode_bit_(options.convention.mode_bit),
      machine_(isa, lifted_) {
  lifted_.file = &isa.file;
  if (!options.whole || isa.flags == 0) return;
  blocks_.reserve(shape.blocks.size());
  for (const Block& b : shape.blocks) blocks_.push_back({b.address, b.end});
  std::ranges::sort(blocks_, {}, &Range::begin);
  flags_ = isa.flags;
  lost_at_call_ = among(options.convention.lost_at_call);
  lost_at_return_ = among(options.convention.lost_at_return);
}

Ahead::Set Ahead::among(const ir::RegisterSet& registers) const {
  Set out = 0;
  for (unsigned r = 0; r < 64; ++r)
    if (registers.has(r)) out |= flag(r);
  return out;
}

const Ahead::Range* Ahead::block_with(uint64_t address) const {
  const auto behind = std::ranges::upper_bound(blocks_, address, {}, &Range::begin);
  if (behind == blocks_.begin() || address >= (behind - 1)->end) return nullptr;
  return &*(behind - 1);
}

bool Ahead::begins_block(uint64_t address) const {
  const Range* const block = block_with(address);
  return block != nullptr && block->begin == address;
}

uint64_t Ahead::target(const ir::Function& f, const ir::Op& op) const {
  if (f.ops[op.a].code != Code::kConst) return kNowhere;
  const uint64_t to = ir::constant(f.ops[op.a]);
  return (to & mode_bit_) == 0 && begins_block(to) ? to : kNowhere;
}

ir::RegisterSet Ahead::behind(const ir::Function& f, const ir::Op& last, uint64_t next) {
  ir::RegisterSet out = ir::RegisterSet::all();
  // Inside of Thumb's conditional blocks what follows depends on what was decoded before.
  if (flags_ == 0 || decoder_.in_block()) return out;
  Set lost = 0;
  if (last.code == Code::kJump) {
    lost = lost_at(target(f, last));
    if (last.c != 0 && lost != 0) lost &= lost_at(next);
  } else if (last.c != 0 || (last.code != Code::kCall && last.code != Code::kReturn)) {
    lost = lost_at(next);
  }
  for (unsigned r = 0; lost != 0; ++r, lost >>= 1)
    if ((lost & 1) != 0) out.remove(r);
  return out;
}

Ahead::Set Ahead::lost_at(uint64_t address) {
  if (address == kNowhere) return 0;
  Known& known = known_[(address ^ address >> 6) % known_.size()];
  if (known.address == address) return known.lost;
  const Set lost = look(address);
  known = {address, lost};
  return lost;
}

Ahead::Set Ahead::look(uint64_t at) {
  Look to{.open = flags_, .lost = 0};
  const Range* block = block_with(at);
  decoder_.restart();
  for (int i = 0; i < kMostInstructions && to.open != 0; ++i) {
    if (block != nullptr && (at < block->begin || at >= block->end))
      block = begins_block(at) ? block_with(at) : nullptr;
    if (block == nullptr) break;
    const Area* area = program_.code_at(at);
    if (area == nullptr || !decoder_.decode(area->bytes.span().subspan(at - area->address), at, insn_)) break;
    if (insn_.size == 0 || insn_.delay_slot) break;
    at = insn_.end();
    const uint64_t elsewhere = isa_.flag_use != nullptr ? over_known(to) : lift(to);
    if (elsewhere == kNowhere) break;
    if (elsewhere != 0) at = elsewhere;
  }
  decoder_.restart();
  return to.lost;
}

uint64_t Ahead::over_known(Look& to) const {
  const FlagUse use = isa_.flag_use(isa_, insn_);
  to.reads(use.reads);
  to.loses(use.writes);
  switch (insn_.flow) {
    case Flow::kNone:
      return 0;
    case Flow::kJump:
      return !insn_.conditional && begins_block(insn_.target) ? insn_.target : kNowhere;
    case Flow::kCall:
    case Flow::kIndirectCall:
      to.loses(lost_at_call_);
      return kNowhere;
    case Flow::kReturn:
      to.loses(lost_at_return_);
      return kNowhere;
    default:
      return kNowhere;
  }
}

uint64_t Ahead::lift(Look& to) {
  if (insn_.flow == Flow::kNone && !isa_.may_touch_flags(insn_)) return 0;
  lifted_.clear();
  machine_.lift(std::span(&insn_, 1));
  return step(to);
}

Ahead::Set Ahead::lost_behind(const Insn& last) {
  if (isa_.comes_back != nullptr && isa_.comes_back(isa_, last)) return 0;
  switch (last.flow) {
    case Flow::kNone:
      return lost_at(last.end());
    case Flow::kJump: {
      const Set there = begins_block(last.target) ? lost_at(last.target) : 0;
      return last.conditional && there != 0 ? there & lost_at(last.end()) : there;
    }
    case Flow::kCall:
    case Flow::kIndirectCall:
      return lost_at_call_;
    case Flow::kReturn:
      return lost_at_return_;
    default:
      return 0;
  }
}

bool Ahead::wanted(std::span<const Insn> insns, std::span<uint64_t> out) {
  const auto touches = [&](const Insn& insn) { return isa_.may_touch_flags(insn); };
  if (std::ranges::none_of(insns, touches)) {
    std::ranges::fill(out, ~uint64_t{0});
    return true;
  }
  bool known = true;
  Set live = flags_ & ~lost_behind(insns.back());
  for (size_t i = insns.size(); i-- > 0;) {
    const FlagUse use = isa_.flag_use(isa_, insns[i]);
    out[i] = live | ~flags_;
    known &= use.known;
    live = (live & ~use.writes) | use.reads;
  }
  return known;
}

uint64_t Ahead::step(Look& to) {
  for (size_t at = 1; at < lifted_.ops.size(); ++at) {
    const ir::Op& op = lifted_.ops[at];
    over(op, to);
    if (op.code == Code::kReturn || op.code == Code::kCall) {
      if (op.c == 0) to.loses(op.code == Code::kCall ? lost_at_call_ : lost_at_return_);
      return kNowhere;
    }
    if (op.code == Code::kTrap) return kNowhere;
    if (op.code != Code::kJump) continue;
    return op.c == 0 ? target(lifted_, op) : kNowhere;
  }
  return 0;
}

void Ahead::over(const ir::Op& op, Look& to) const {
  if (op.code == Code::kGet) to.reads(flag(op.a));
  if (op.code == Code::kPut) to.loses(flag(op.a));
  if (op.code != Code::kOpaque) return;
  const ir::Effect& e = lifted_.effects[op.a];
  if (e.leaves) to.reads(flags_);
  for (RegisterId r : lifted_.reads(e)) to.reads(flag(r));
  for (RegisterId r : lifted_.writes(e)) to.reads(flag(r));
}

}  // namespace assay::code::lift
