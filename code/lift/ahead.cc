#include "code/lift/ahead.h"

#include <algorithm>

namespace assay::code::lift {

namespace {
constexpr int kMostInstructions = 8;
}

Ahead::Ahead(const Isa& isa, const Shape& shape, const ir::Options& options, Decoder& decoder)
    : isa_(isa), program_(*shape.program), decoder_(decoder) {
  if (!options.whole || isa.flag_use == nullptr) return;
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
    const uint64_t elsewhere = over(to);
    if (elsewhere == kNowhere) break;
    if (elsewhere != 0) at = elsewhere;
  }
  decoder_.restart();
  return to.lost;
}

uint64_t Ahead::over(Look& to) const {
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

void Ahead::wanted(std::span<const Insn> insns, std::span<uint64_t> out) {
  const auto touches = [&](const Insn& insn) { return isa_.may_touch_flags(insn); };
  if (std::ranges::none_of(insns, touches)) {
    std::ranges::fill(out, ~uint64_t{0});
    return;
  }
  Set live = flags_ & ~lost_behind(insns.back());
  for (size_t i = insns.size(); i-- > 0;) {
    const FlagUse use = isa_.flag_use(isa_, insns[i]);
    out[i] = live | ~flags_;
    live = (live & ~use.writes) | use.reads;
  }
}

}  // namespace assay::code::lift
