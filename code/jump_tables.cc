// A switch's target is `base + (entry << n)`, an entry lies at `table + (index << m)`, and a comparison bounded the
// index. Compilers differ in base, n, m and the width of entries only; ARM also jumps into a row of branches.
#include "code/jump_tables.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr int64_t kMostEntries = 1 << 16, kMostGuessed = 1024;

struct Shape {
  Value target;       // base and n; the unknown is the entry
  Value entry;        // table and m; the unknown is the index
  uint8_t width = 0;  // of an entry
  bool is_signed = false;
  bool branches = false;  // no table: the target itself is base + (index << m)
};

class Resolver {
 public:
  Resolver(const Program& program, const Op& jump, Range within, const Tables& tables, const Shape& shape)
      : program_(program), jump_(jump), within_(within), tables_(tables), shape_(shape) {}

  std::optional<Switch> read(const Bound& bound, bool strict) const;

 private:
  std::optional<uint64_t> place(int64_t index) const;
  bool possible(uint64_t address, bool strict) const;
  uint64_t next_table(uint64_t table) const;

  const Program& program_;
  const Op& jump_;
  Range within_;
  const Tables& tables_;
  const Shape& shape_;
};

// Where another one begins behind it.
uint64_t Resolver::next_table(uint64_t table) const {
  auto next = tables_.upper_bound(table);
  while (next != tables_.end() && next->second == shape_.entry.add) ++next;
  return next == tables_.end() ? kNowhere : next->first;
}

// A bounded table may lead to a part of the function that lies elsewhere. Clang has what cannot be lead to the
// function's end.
bool Resolver::possible(uint64_t address, bool strict) const {
  const Area* area = program_.code_at(address);
  if (!area ||
      address % instruction_alignment(program_.processor == Processor::kArm ? Processor::kThumb : program_.processor) !=
          0)
    return false;
  return strict || (area == program_.code_at(jump_.address) && address >= within_.from && address <= within_.to);
}

std::optional<uint64_t> Resolver::place(int64_t index) const {
  const uint64_t mask = program_.pointer == 4 ? 0xffffffff : ~uint64_t{0};
  const uint64_t at = (shape_.entry.add + (static_cast<uint64_t>(index) << shape_.entry.shift)) & mask;
  if (shape_.branches) return at;
  auto word = program_.word(at, shape_.width);
  if (!word) return std::nullopt;
  if (shape_.width == program_.pointer)
    if (const Filled* f = program_.filled_at(at)) word = f->value;
  uint64_t entry = *word;
  const int unused = 64 - 8 * shape_.width;
  if (shape_.is_signed) entry = static_cast<uint64_t>(static_cast<int64_t>(entry << unused) >> unused);
  const uint64_t to = (shape_.target.add + (entry << shape_.target.shift)) & mask;
  return family_of(program_.processor) == Family::kArm ? to & ~uint64_t{1} : to;
}

std::optional<Switch> Resolver::read(const Bound& bound, bool strict) const {
  Switch out;
  out.bounded = strict;
  out.entry_size = shape_.branches ? 4 : shape_.width;
  out.table = shape_.entry.add + (static_cast<uint64_t>(bound.low) << shape_.entry.shift);
  if (program_.pointer == 4) out.table &= 0xffffffff;
  out.counted_from = shape_.entry.add;
  const uint64_t next = strict ? kNowhere : next_table(out.table);
  int64_t count = 0;
  uint64_t lowest = ~uint64_t{0};  // of the places so far
  for (int64_t i = bound.low; i <= bound.high; ++i, ++count) {
    const auto to = place(i);
    const bool good = to && possible(*to, strict);
    if (!good && strict) return std::nullopt;
    const bool over = !strict && !out.places.empty() && !shape_.branches &&
                      out.table + static_cast<uint64_t>(count) * out.entry_size >= lowest && out.table < lowest;
    const uint64_t at = out.table + (static_cast<uint64_t>(count) << shape_.entry.shift);
    if (!good || over || at >= next) break;
    out.places.push_back(*to);
    lowest = std::min(lowest, *to);
  }
  if (out.places.empty() || (!strict && out.places.size() < 2)) return std::nullopt;
  out.end = out.table + (static_cast<uint64_t>(count) << shape_.entry.shift);
  std::ranges::sort(out.places);
  const auto rest = std::ranges::unique(out.places);
  out.places.erase(rest.begin(), rest.end());
  const auto inside = std::ranges::count_if(out.places, [&](uint64_t p) { return within_.holds(p); });
  if (2 * static_cast<size_t>(inside) < out.places.size()) return std::nullopt;
  if (!shape_.branches && program_.code_at(out.table)) out.data.push_back({out.table, out.end});
  return out;
}

std::optional<Shape> shape_of(const Program& program, const Unknowns& unknowns, const Value& target) {
  Shape s{.target = target};
  const Meaning& m = unknowns.meaning(target.unknown);
  if (m.kind == Meaning::kLoad && !m.one.constant() && (m.width != 8 || program.pointer == 8)) {
    s.entry = m.one, s.width = m.width, s.is_signed = m.is_signed;
    // A narrow entry that was widened afterwards counts as it was read.
    constexpr uint64_t kLowest = 0x1000;
    const bool address = m.one.origin == Origin::kAddress || (!program.moves && m.one.add >= kLowest);
    if (address) return s;
  }
  // An entry whose sign was put back after it was read.
  if (m.kind == Meaning::kPart && m.is_signed && m.one.add == 0 && m.one.shift == 0) {
    const Meaning& inner = unknowns.meaning(m.one.unknown);
    if (inner.kind == Meaning::kLoad && inner.width * 8 == m.width) {
      s.entry = inner.one, s.width = inner.width, s.is_signed = true;
      return s;
    }
  }
  if (target.shift >= 2 && target.origin == Origin::kAddress) {
    s.entry = target, s.branches = true;
    return s;
  }
  return std::nullopt;
}

// Where nothing was compared: entries that count from their own table show where it begins (clang's `add $-5` before a
// table whose first entry is for 5).
int64_t lowest_index(const Shape& shape, int64_t low) {
  const auto distance = static_cast<int64_t>(shape.target.add - shape.entry.add);
  const int64_t index = distance >> shape.entry.shift;
  const bool begins = index > low && index < kMostGuessed && index << shape.entry.shift == distance;
  return begins ? index : low;
}

// A comparison bounds it on both sides: an index, wherever it was read.
bool is_compared(const State& state, uint32_t unknown) {
  const auto bounds = std::span(state.bound).first(state.bounds);
  return std::ranges::any_of(bounds, [&](const Bound& b) {
    return b.unknown == unknown && b.low > -kUnbounded && b.high < kUnbounded && b.high - b.low < kMostEntries;
  });
}

// ARM's `addls pc, pc, index, lsl #2`: no compiler makes it of an index that is always the same, so what seems to be
// known of the index was changed by way of a pointer. The last entry's index; nothing: it is no such jump.
std::optional<int64_t> last_of_row(const State& state, const Op& jump) {
  constexpr int64_t kMost = 1024;
  const bool row = jump.what == Do::kAdd && jump.a == kProgramCounter && jump.shift == 2 && jump.b < kSlots &&
                   jump.relation == Relation::kBelowEqual;
  if (!row || !state.compared || !(state.left == state.slots[jump.b]) || !state.right.number()) return std::nullopt;
  const auto last = static_cast<int64_t>(state.right.add);
  return last > 0 && last < kMost ? std::optional(last) : std::nullopt;
}

}  // namespace

Destination destination(const Program& program, const Machine& machine, State state, const Op& jump, Range within,
                        const Tables& tables) {
  Destination out;
  machine.assume(jump, true, state);
  const Value target = machine.target(state, jump);
  if (target.origin == Origin::kImport) {
    out.kind = Destination::kImport, out.address = target.add;
    return out;
  }
  if (const auto last = target.constant() ? last_of_row(state, jump) : std::nullopt) {
    constexpr uint64_t kAhead = 8;  // of the program counter, as it is read
    const Value row = {.add = jump.address + kAhead, .unknown = 1, .shift = 2, .origin = Origin::kAddress};
    if (auto table = Resolver(program, jump, within, tables, {.target = row, .entry = row, .branches = true})
                         .read({.low = 0, .high = *last}, true)) {
      out.kind = Destination::kSwitch, out.table = std::move(*table);
      return out;
    }
  }
  if (target.constant()) {
    out.kind = target.add != 0 ? Destination::kAddress : Destination::kUnknown, out.address = target.add;
    return out;
  }
  if (target.origin == Origin::kAddress && within.holds(target.add) && program.code_at(target.add))
    out.base = target.add;
  if (target.origin == Origin::kAddress) out.kind = Destination::kOpenSwitch;
  auto shape = shape_of(program, machine.unknowns(), target);
  if (!shape) return out;
  if (target.shift >= 2 && out.base != 0 && is_compared(state, target.unknown))
    shape = Shape{.target = target, .entry = target, .branches = true};
  if (!shape->branches && !program.data_at(shape->entry.add) && shape->entry.add == 0) return out;
  const Resolver resolver(program, jump, within, tables, *shape);
  const auto bound = machine.bound(state, shape->entry.unknown);
  const bool closed =
      bound && bound->low > -kUnbounded && bound->high < kUnbounded && bound->high - bound->low < kMostEntries;
  bool compared = false;
  for (uint8_t i = 0; i < state.bounds; ++i) compared |= bound && state.bound[i].unknown == shape->entry.unknown;
  if (closed && bound->low <= bound->high) {
    if (auto table = resolver.read(*bound, true)) {
      table->bounded = true, table->compared = is_compared(state, shape->entry.unknown);
      out.kind = Destination::kSwitch, out.table = std::move(*table);
      return out;
    }
    if (compared) return out;  // bounded, and not all entries lead into this function
  }
  out.kind = shape->entry.shift != 0 || shape->width < 4 ? Destination::kOpenSwitch : Destination::kUnknown;
  if (shape->branches && within.holds(target.add)) {
    // Into unrolled code, any number of steps on: the first leads through all of them.
    out.kind = Destination::kAddress, out.address = target.add;
    return out;
  }
  if (shape->entry.add == 0 || shape->branches) return out;
  // What was taken off an index that nothing bounds is the lowest that it may be.
  const int64_t low = lowest_index(*shape, std::max(bound && bound->low > -kMostEntries ? bound->low : 0,
                                                    machine.lowest_index(shape->entry.unknown)));
  const int64_t high = bound && bound->high < kMostEntries ? bound->high : low + kMostGuessed - 1;
  if (!program.data_at(shape->entry.add)) return out;
  if (auto table = resolver.read({0, low, high}, false)) {
    out.kind = Destination::kSwitch, out.table = std::move(*table);
  }
  return out;
}

}  // namespace assay::code
