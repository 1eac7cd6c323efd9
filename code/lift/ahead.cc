#include "code/lift/ahead.h"

#include "code/find_at.h"

#include <algorithm>
#include <bit>

namespace assay::code::lift {

namespace {
constexpr int kMostInstructions = 8;
}

Ahead::Ahead(const Isa& isa, const Shape& shape, const ir::Options& options, Decoder& decoder)
    : isa_(isa), program_(*shape.program), decoder_(decoder) {
  if (!options.whole || isa.flag_use == nullptr) return;
  blocks_.reserve(shape.blocks.size());
  for (const Block& b : shape.blocks)
    blocks_.push_back(
        {.begin = b.address, .size = static_cast<uint32_t>(std::min<uint64_t>(b.end - b.address, UINT32_MAX))});
  if (!std::ranges::is_sorted(blocks_, {}, &Range::begin)) std::ranges::sort(blocks_, {}, &Range::begin);
  flags_ = isa.flags;
  first_ = std::countr_zero(flags_);
  ASSAY_CHECK(flags_ >> first_ <= UINT16_MAX);
  lost_at_call_ = among(options.convention.lost_at_call);
  lost_at_return_ = among(options.convention.lost_at_return);
}

Ahead::Range* Ahead::block_at(uint64_t address) {
  for (const size_t i : {last_, last_ - 1})
    if (i < blocks_.size() && blocks_[i].begin == address) return &blocks_[i];
  return find_at(std::span(blocks_), address, &Range::begin);
}

void Ahead::lifted(uint64_t address, Set lost) {
  Range* const block = block_at(address);
  if (block == nullptr) return;
  last_ = static_cast<size_t>(block - blocks_.data());
  block->lifted = true;
  block->lost = static_cast<uint16_t>(lost >> first_);
}

Ahead::Set Ahead::lost_at(uint64_t address) {
  Range* const block = block_at(address);
  if (block == nullptr) return 0;
  if (block->lifted) return lost_in(*block);
  return inside(address) ? 0 : look(block);
}

Ahead::Set Ahead::look(const Range* block) {
  Set open = flags_, lost = 0;  // of what nothing is known yet; what nobody reads
  decoder_.restart();
  uint64_t at = block->begin;
  for (int i = 0; i < kMostInstructions && open != 0; ++i) {
    if (!block->has(at)) block = block_at(at);
    if (block == nullptr) break;
    if (block->lifted && at == block->begin) {
      lost |= open & lost_in(*block);
      break;
    }
    const Area* const area = program_.code_at(at);
    if (area == nullptr || !decoder_.decode(area->bytes.span().subspan(at - area->address), at, insn_)) break;
    if (insn_.size == 0 || insn_.delay_slot || decoder_.in_block()) break;
    const FlagUse use = isa_.flag_use(isa_, insn_);
    open &= ~use.reads;
    lost |= open & use.writes;
    open &= ~use.writes;
    at = insn_.end();
    if (insn_.flow == Flow::kNone) continue;
    if (insn_.conditional) break;
    lost |= open & lost_where_control_leaves(insn_);
    if (insn_.flow != Flow::kJump) break;
    at = insn_.target;
  }
  decoder_.restart();
  return lost;
}

Ahead::Set Ahead::lost_where_control_leaves(const Insn& insn) const {
  if (insn.flow == Flow::kCall || insn.flow == Flow::kIndirectCall) return isa_.exact(insn) ? lost_at_call_ : 0;
  return insn.flow == Flow::kReturn && isa_.exact(insn) ? lost_at_return_ : 0;
}

Ahead::Set Ahead::lost_behind(const Insn& last) {
  if (isa_.comes_back != nullptr && isa_.comes_back(isa_, last)) return 0;
  if (last.flow == Flow::kNone) return lost_at(last.end());
  const Set lost = last.flow == Flow::kJump ? lost_at(last.target) : lost_where_control_leaves(last);
  return last.conditional && lost != 0 ? lost & lost_at(last.end()) : lost;
}

bool Ahead::wanted(std::span<const Insn> insns, bool all, std::span<Set> out) {
  Set written = 0;
  for (size_t i = 0; i < insns.size(); ++i) {
    uses_[i] = isa_.flag_use(isa_, insns[i]);
    written |= uses_[i].writes;
  }
  if (written == 0) return false;
  Set live = flags_ & ~(all ? 0 : lost_behind(insns.back()));
  for (size_t i = insns.size(); i-- > 0;) {
    out[i] = live | ~flags_;
    live = (live & ~uses_[i].writes) | uses_[i].reads;
  }
  return true;
}

// Such a block has four instructions of four bytes at most. It begins with IT (ARM DDI 0406C, A8.8.54), or what only
// looks like it.
bool Ahead::inside(uint64_t address) const {
  const Area* const area = is_thumb(isa_.set->processor()) ? program_.code_at(address) : nullptr;
  if (area == nullptr) return false;
  const uint64_t there = address - area->address, from = there - std::min<uint64_t>(there, 14);
  const std::span<const std::byte> bytes = area->bytes.span().subspan(from, there - from);
  const size_t high = instruction_order(isa_.set->processor()) == Order::kBig ? 0 : 1;
  for (size_t i = bytes.size() % 2; i + 1 < bytes.size(); i += 2) {
    const std::byte mask = bytes[i + 1 - high] & std::byte{0xf};
    if (bytes[i + high] == std::byte{0xbf} && mask != std::byte{0}) return true;
  }
  return false;
}

}  // namespace assay::code::lift
