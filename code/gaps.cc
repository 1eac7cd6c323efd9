// What lies between functions, when calls, tables and pointers have led to all that they lead to: padding, the rest of
// functions that nothing leads to any more, and functions that nothing names.
#include "code/discovery.h"

#include <algorithm>
#include <bit>

namespace assay::code {
namespace {

constexpr uint64_t kMostRun = 4096;  // bytes of code that is the rest of something

}  // namespace

// x86 pads with few instructions, too long for the decoder to remember them: what they are is remembered here.
bool Discovery::is_known_padding(uint64_t address, uint64_t& size) const {
  const Area* area = paddings_.empty() ? nullptr : program_.code_at(address);
  if (!area) return false;
  const std::string_view rest = area->bytes.text().substr(address - area->address);
  const auto known = std::ranges::find_if(
      paddings_, [&](std::string_view p) { return rest.front() == p.front() && rest.starts_with(p); });
  if (known == paddings_.end()) return false;
  size = known->size();
  return true;
}

bool Discovery::is_padding(Processor processor, uint64_t address, uint64_t& size) {
  Judged& known = judged(processor, address);
  if (!known.padding) {
    known.padding = judge_padding(processor, address, size);
    known.size = static_cast<uint8_t>(size);
  }
  size = known.size;
  return *known.padding;
}

bool Discovery::judge_padding(Processor processor, uint64_t address, uint64_t& size) {
  constexpr size_t kMostKnown = 16;
  if (is_known_padding(address, size)) return true;
  Op op;
  const uint64_t unit = instruction_alignment(processor);
  decoder(processor).restart();
  if (!decode(processor, address, op)) {
    size = std::max<uint64_t>(op.size, unit);
    return true;
  }
  size = op.size;
  const Area* area = program_.code_at(address);
  const Bytes bytes = area->bytes.head(op.size, address - area->address);
  const bool zero = is_run(bytes) && bytes[0] == 0;
  if (op.padding && family_of(processor) == Family::kX86 && paddings_.size() < kMostKnown)
    paddings_.push_back(bytes.text());
  return op.padding || zero || (op.flow == Flow::kTrap && family_of(processor) != Family::kX86);
}

// What an entry of ARM's table covers may begin with what aligns its function.
uint64_t Discovery::behind_padding(uint64_t address) {
  constexpr uint64_t kMost = 32;
  const Processor processor = mode_before(address);
  for (uint64_t at = address, size = 0; at - address <= kMost; at += size) {
    if (at != address && starts_function(at)) return at;
    if (!is_padding(processor, at, size)) return at;
  }
  return address;
}

// The first place past `from` where something seems to begin; `to`: nowhere before.
uint64_t Discovery::next_begin(Processor processor, uint64_t from, uint64_t to) {
  const bool fixed = family_of(processor) != Family::kX86;
  uint64_t size = instruction_alignment(processor);
  for (uint64_t at = from; at < to;) {
    if (!fixed) is_padding(processor, at, size);
    at += size;
    if (at < to && begins_with_frame(processor, at)) return at;
  }
  return to;
}

// The first jump of what lies at `address` is one back into the middle of the function before: it is a part of that.
bool Discovery::leads_back(Processor processor, uint64_t address) {
  constexpr int kFarthest = 64;
  const Start* before = owner_before(address);
  if (!before) return false;
  decoder(processor).restart();
  Op op;
  uint64_t at = address;
  for (int i = 0; i < kFarthest && decode(processor, at, op); ++i, at += op.size) {
    if (op.flow == Flow::kJump)
      return op.target > before->address && op.target < address && map_.starts(op.target) &&
             !starts_function(op.target);
    if (op.flow != Flow::kNone) return false;
  }
  return false;
}

// Of AArch64, whose functions may begin with a nop (where a landing place for branches could be): what aligns code
// ends where that is aligned. Of nops and the code behind them, the place that is aligned best, if it is a nop's.
uint64_t Discovery::behind_alignment(Processor processor, uint64_t from, uint64_t to) {
  constexpr uint64_t kAlignment = 16;
  if (family_of(processor) != Family::kAArch64) return kNowhere;
  Op op;
  uint64_t best = from, at = from;
  decoder(processor).restart();
  for (; at < to && decode(processor, at, op) && op.padding && map_.owner(at) == CodeMap::kUnread; at += op.size)
    if (std::countr_zero(at) > std::countr_zero(best)) best = at;
  const bool code = at < to && map_.owner(at) == CodeMap::kUnread && !starts_function(at) && decode(processor, at, op);
  return code && best % kAlignment == 0 && at % kAlignment != 0 ? best : kNowhere;
}

void Discovery::gap(uint64_t from, uint64_t to, bool prologues_alone) {
  while ((from = map_.next_unread(from, to)) < to) {
    const Processor processor = mode_before(from);
    const uint64_t unit = instruction_alignment(processor);
    if (from % unit != 0) {
      from += unit - from % unit;
      continue;
    }
    uint64_t size = unit;
    if (is_padding(processor, from, size)) {
      const uint64_t start = behind_alignment(processor, from, to);
      if (start != from) {
        from = start != kNowhere ? start : from + size;
        if (from != start || !plausible(processor, from) || !can_begin(from, processor)) continue;
        add(from, processor, Found::kGap, Sure::kMedium);
        settle();
        continue;
      }
    }
    if (!plausible(processor, from)) {
      from += std::max<uint64_t>(size, unit);
      continue;
    }
    const Start* before = owner_before(from);
    const bool open = before && before->body.open;
    const bool prologue = is_prologue(processor, from);
    const uint32_t stub = reader_.stub(from, processor, nullptr);
    if (stub != kNone) {
      from += size;
      continue;
    }
    // A hole in a function is code that nothing leads to any more.
    const bool hole = before && !before->body.extents.empty() && before->body.extents.back().to > from;
    const bool begins = can_begin(from, processor) && !leads_back(processor, from);
    if (begins && (prologue || begins_with_frame(processor, from) || (!open && !hole && !prologues_alone))) {
      add(from, processor, prologue ? Found::kPrologue : Found::kGap, Sure::kMedium);
      settle();
    } else if (!prologues_alone) {
      // The rest of something: what follows its end may be more. Behind ARM's code lie constants.
      if (family_of(processor) != Family::kArm) strays(from);
      from = next_begin(processor, from, std::min(next_start(from), entry(processor).run_end(from, kMostRun)));
      continue;
    }
    from += std::max<uint64_t>(size, unit);
  }
}

void Discovery::gaps() {
  for (const Area& area : program_.code) {
    uint64_t from = area.address, to = area.end();
    // Nothing names a function there: those that look like one lead to the others.
    if (program_.is_raw) gap(from, to, true);
    if (!has_sections_) {  // headers and data lie in the segment too: from the first function to the last
      const auto first = by_address_.lower_bound(from);
      auto last = by_address_.lower_bound(to);
      if (first == by_address_.end() || first == last) continue;
      from = first->first;
      const auto& extents = starts_[std::prev(last)->second].body.extents;
      to = extents.empty() ? std::prev(last)->first : std::max(extents.back().to, std::prev(last)->first);
    }
    gap(from, to, false);
  }
}

}  // namespace assay::code
