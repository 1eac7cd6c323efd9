// The meaning of each Op on a State.
#include "code/values.h"

#include "code/bits.h"
#include "code/translate.h"

#include <algorithm>
#include <cstdlib>
#include <ranges>

namespace assay::code {
namespace {

constexpr size_t kMostListed = 64;              // of the table, that one meaning may have
constexpr uint32_t kEntry = uint32_t{1} << 30;  // unknowns that a function is entered with
constexpr uint32_t kPhi = (uint32_t{1} << 30) + 1024;

uint64_t hash_of(const Meaning& m) {
  uint64_t h = m.kind + 16 * m.width + 4096 * m.is_signed + (uint64_t{m.epoch} << 20);
  for (const Value* v : {&m.one, &m.two}) {
    h = (h ^ v->add) * 0x9e3779b97f4a7c15;
    h = (h ^ (h >> 29) ^ v->unknown ^ (uint64_t{v->shift} << 40)) * 0xbf58476d1ce4e5b9;
  }
  return h ^ (h >> 32);
}

}  // namespace

void Unknowns::clear() {
  all_.clear();
  crowded_out_.clear();
  table_.assign(std::min<size_t>(table_.size(), 256), 0);
}

// Where the number of `meaning` is, or goes: 0 there.
uint32_t& Unknowns::place(const Meaning& meaning) {
  size_t at = hash_of(meaning);
  for (size_t asked = 0; asked < kMostListed; ++asked, ++at) {
    uint32_t& number = table_[at & (table_.size() - 1)];
    if (number == 0 || all_[number - 1] == meaning) return number;
  }
  return crowded_out_[meaning];
}

uint32_t Unknowns::of(const Meaning& meaning) {
  if (2 * (all_.size() + 1) > table_.size()) {
    table_.assign(std::max<size_t>(256, 2 * table_.size()), 0);
    crowded_out_.clear();
    for (uint32_t i = 0; i < all_.size(); ++i) place(all_[i]) = i + 1;
  }
  uint32_t& number = place(meaning);
  if (number == 0) {
    all_.push_back(meaning);
    number = static_cast<uint32_t>(all_.size());
  }
  return kFirst + number - 1;
}

const Meaning& Unknowns::meaning(uint32_t unknown) const {
  static const Meaning kUnstated;
  return unknown >= kFirst && unknown - kFirst < all_.size() ? all_[unknown - kFirst] : kUnstated;
}

Machine::Machine(const Program& program, const Translator& translator, Unknowns& unknowns)
    : program_(program),
      translator_(translator),
      unknowns_(unknowns),
      family_(family_of(translator.processor())),
      narrow_(!is_64_bit(translator.processor())) {}

Value Machine::known(uint64_t number, Origin origin) const {
  return {.add = narrow_ ? number & 0xffffffff : number, .origin = origin};
}

State Machine::entry(uint64_t function) const {
  State s;
  s.used = translator_.slots_used();
  for (Slot i = 0; i < s.used; ++i) s.slots[i] = {.unknown = kEntry + i};
  constexpr Slot kMipsT9 = 25;
  if (family_ == Family::kMips) s.slots[kMipsT9] = known(function, Origin::kAddress);
  s.epoch = 1;
  return s;
}

Value Machine::entry_stack() const { return {.unknown = kEntry + translator_.stack_pointer()}; }

Value Machine::value(const State& state, Slot slot, const Op& op) const {
  if (slot < kSlots) {
    const Value& v = state.slots[slot];
    if (slot != translator_.global_pointer() || program_.global_pointer == 0) return v;
    // Compilers use the register for other things too.
    const Meaning& m = unknowns_.meaning(v.unknown);
    return m.kind == Meaning::kLoad && m.width < 4 ? v : known(program_.global_pointer, Origin::kAddress);
  }
  if (slot == kProgramCounter) {
    const bool thumb = is_thumb(translator_.processor());
    const uint64_t pc = op.address + (thumb ? 4 : 8);
    return known(op.has_memory && thumb && op.what != Do::kTableBranch ? pc & ~uint64_t{3} : pc, Origin::kAddress);
  }
  return {};
}

// A result of 32 bits in a register of 64.
Value Machine::half(const Op& op, Value v) const {
  if (!op.half || narrow_ || v.origin == Origin::kImport || v.unknown == ~uint32_t{0}) return v;
  // What is added to an unknown is small and may be negative.
  if (!v.constant()) {
    v.add = static_cast<uint64_t>(sign_extend(v.add, 32));
    return v;
  }
  v.add = op.is_signed ? static_cast<uint64_t>(sign_extend(v.add, 32)) : v.add & 0xffffffff;
  return v;
}

void Machine::note_index(const Value& index) const {
  constexpr int64_t kFarthest = 1024;
  const int64_t add = sign_extend(index.add, 32);
  if (!index.constant() && index.shift == 0 && add < 0 && add >= -kFarthest) indexes_.emplace_back(index.unknown, -add);
}

int64_t Machine::lowest_index(uint32_t unknown) const {
  const auto last = std::ranges::find(indexes_ | std::views::reverse, unknown, &std::pair<uint32_t, int64_t>::first);
  return last == indexes_.rend() ? 0 : last->second;
}

// a + (b << shift) + add, or nothing that is known: two different unknowns, shifted past reason.
Value Machine::sum(const Value& a, const Value& b, uint8_t shift, int64_t add) const {
  if (watches_ && shift != 0) [[unlikely]]
    note_index(b);
  const auto nothing = [](const Value& v) { return v.constant() && v.add == 0 && v.origin != Origin::kImport; };
  if (a.origin == Origin::kImport && nothing(b) && add == 0) return a;
  if (b.origin == Origin::kImport && nothing(a) && add == 0 && shift == 0) return b;
  if (a.origin == Origin::kImport || b.origin == Origin::kImport) return {.unknown = ~uint32_t{0}};
  if (!a.constant() && !b.constant()) {
    // Still an address and something.
    const bool of_a = a.origin == Origin::kAddress, of_b = b.origin == Origin::kAddress && shift == 0;
    if (of_a == of_b) return {.unknown = ~uint32_t{0}};
    return {.add = (of_a ? a.add : b.add) + static_cast<uint64_t>(add),
            .unknown = ~uint32_t{0},
            .origin = Origin::kAddress};
  }
  Value out;
  out.add = a.add + (b.add << shift) + static_cast<uint64_t>(add);
  if (narrow_) out.add &= 0xffffffff;
  if (!a.constant()) out.unknown = a.unknown, out.shift = a.shift;
  if (!b.constant()) out.unknown = b.unknown, out.shift = static_cast<uint8_t>(b.shift + shift);
  if (out.shift > 63) return {.unknown = ~uint32_t{0}};
  const bool address = a.origin == Origin::kAddress || b.origin == Origin::kAddress;
  out.origin = address ? Origin::kAddress : Origin::kNumber;
  return out;
}

Value Machine::part(const Value& whole, uint8_t bits, bool is_signed) const {
  if (whole.origin == Origin::kImport) return {.unknown = ~uint32_t{0}};
  if (whole.constant()) {
    const uint64_t low = low_bits(whole.add, bits);
    return known(is_signed ? static_cast<uint64_t>(sign_extend(low, bits)) : low, Origin::kNumber);
  }
  // Nothing is lost of what was read so narrow, nor of an index that widens.
  const Meaning& m = unknowns_.meaning(whole.unknown);
  const bool plain = whole.add == 0 && whole.shift == 0;
  if (plain && m.kind == Meaning::kLoad && !m.is_signed && m.width * 8 <= bits - (is_signed ? 1 : 0)) return whole;
  if (plain && m.kind == Meaning::kPart && m.width <= bits && (m.is_signed == is_signed || m.width < bits))
    return whole;
  if (bits >= 32) return whole;
  return {.unknown = unknowns_.of({.kind = Meaning::kPart, .width = bits, .is_signed = is_signed, .one = whole})};
}

// Of its low bits, all that are not known to be zero.
uint32_t Machine::bits_of(const Value& v, uint32_t most) const {
  const Meaning& m = unknowns_.meaning(v.unknown);
  if (v.constant() || v.add != 0 || v.shift != 0 || m.is_signed) return most;
  if (m.kind == Meaning::kLoad && m.width < 4) return std::min<uint32_t>(most, 8 * m.width);
  return m.kind == Meaning::kPart && m.width < 32 ? std::min<uint32_t>(most, m.width) : most;
}

// The bits from `from` on, fewer than 32 of them.
Value Machine::bits_from(const Value& v, uint8_t from, uint32_t bits) const {
  const Value shifted = {.unknown =
                             unknowns_.of({.kind = Meaning::kPart, .width = 64, .one = v, .two = {.add = from}})};
  return {.unknown = unknowns_.of({.kind = Meaning::kPart, .width = static_cast<uint8_t>(bits), .one = shifted})};
}

Value Machine::field(const Op& op, const Value& a, const Value& fresh) const {
  const uint32_t whole = narrow_ || op.half ? 32 : 64;
  if (op.shift == 0) {
    const Value low = op.width >= whole - op.scale ? a : part(a, op.width, op.is_signed);
    return sum({}, low, op.scale, 0);
  }
  if (a.constant() && a.number()) {
    const uint64_t v = low_bits(a.add >> op.shift, op.width);
    return known(op.is_signed ? static_cast<uint64_t>(sign_extend(v, op.width)) : v, Origin::kNumber);
  }
  const uint32_t bits = bits_of(a, whole);
  if (op.is_signed || op.scale != 0 || bits <= op.shift) return fresh;
  const uint32_t width = std::min<uint32_t>(op.width, bits - op.shift);
  return width < 32 ? bits_from(a, op.shift, width) : fresh;
}

Value Machine::address(const State& state, const Op& op) const {
  Value base = value(state, op.base, op);
  if (op.base == kNoSlot && op.based) base.origin = Origin::kAddress;
  return sum(base, value(state, op.index, op), op.scale, op.displacement);
}

Value Machine::load(const State& state, const Value& at, uint8_t width, bool is_signed) const {
  if (at.unknown == ~uint32_t{0} || at.origin == Origin::kImport) return {.unknown = ~uint32_t{0}};
  for (uint8_t i = 0; i < state.saved; ++i)
    if (state.memory[i].address == at)
      return width == program_.pointer || state.memory[i].value.constant() ? state.memory[i].value
                                                                           : Value{.unknown = ~uint32_t{0}};
  if (at.constant()) {
    if (width == program_.pointer)
      if (const Filled* f = program_.filled_at(at.add)) {
        if (f->import != ~uint32_t{0}) return {.add = f->import, .origin = Origin::kImport};
        if (program_.constant(at.add)) return known(f->value, Origin::kAddress);
      }
    if (program_.constant(at.add))
      if (const auto word = program_.word(at.add, width)) {
        const bool code = program_.code_at(at.add) != nullptr;
        return known(is_signed ? static_cast<uint64_t>(sign_extend(*word, 8u * width)) : *word,
                     width == program_.pointer && !code ? Origin::kAddress : Origin::kNumber);
      }
  }
  // Four bytes are one value whichever way they fill a register of eight.
  if (width == 4) is_signed = true;
  return {.unknown = unknowns_.of(
              {.kind = Meaning::kLoad, .width = width, .is_signed = is_signed, .epoch = state.epoch, .one = at})};
}

Value Machine::loaded(const State& state, const Op& op) const {
  return load(state, address(state, op), op.width, op.is_signed);
}

Value Machine::target(const State& state, const Op& op) const {
  if (op.through_memory) return load(state, address(state, op), static_cast<uint8_t>(program_.pointer), false);
  Value to = value(state, op.through, op);
  if (op.displacement != 0 && !op.has_memory) to = sum(to, {}, 0, op.displacement);
  if (const uint32_t import = to.number() ? program_.import_at(to.add) : kNoImport; import != kNoImport)
    return {.add = import, .origin = Origin::kImport};
  return to;
}

namespace {

Relation without_sign(Relation relation) {
  using enum Relation;
  const bool signed_one = relation >= kLess;
  return signed_one
             ? static_cast<Relation>(static_cast<int>(relation) - static_cast<int>(kLess) + static_cast<int>(kBelow))
             : relation;
}

// Stack words are told apart by what their addresses count from.
void remember(State& state, const Value& address, const Value& value) {
  if (address.constant() || address.shift != 0) return;
  for (uint8_t i = 0; i < state.saved; ++i)
    if (state.memory[i].address == address) return void(state.memory[i].value = value);
  // What a function was entered with is saved and restored, never asked for. Constants are kept longest.
  if (value.unknown >= kEntry && value.unknown < kPhi) return;
  if (state.saved == state.memory.size()) {
    const auto gone = std::ranges::find_if(state.memory, [](const State::Saved& s) { return !s.value.constant(); });
    if (gone == state.memory.end() && !value.constant()) return;
    std::rotate(gone == state.memory.end() ? state.memory.begin() : gone,
                (gone == state.memory.end() ? state.memory.begin() : gone) + 1, state.memory.end());
    --state.saved;
  }
  state.memory[state.saved++] = {address, value};
}

void forget_word(State& state, const Value& address, uint8_t width, int64_t word) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < state.saved; ++i) {
    const Value& a = state.memory[i].address;
    const auto distance = sign_extend(a.add - address.add, static_cast<uint32_t>(8 * word));
    if (a.unknown == address.unknown && distance > -word && distance < width) continue;
    state.memory[kept++] = state.memory[i];
  }
  state.saved = kept;
}

}  // namespace

void Machine::store(const Op& op, uint32_t mark, State& state) const {
  const Value at = op.what == Do::kPush ? state.slots[translator_.stack_pointer()] : address(state, op);
  state.epoch = mark;
  const Value stack = state.slots[translator_.stack_pointer()];
  // Not this frame, as far as compilers go. A function that takes more of the stack as it runs reaches its frame by
  // another register, which counts from where the stack was as it was entered.
  if (at.constant() || (at.unknown != stack.unknown && at.unknown != kEntry + translator_.stack_pointer())) return;
  forget_word(state, at, op.width, program_.pointer);
  if (op.conditional || op.width != program_.pointer) return;  // a predicated store may leave the word as it was
  Value stored = op.c != kNoSlot ? value(state, op.c, op)
                                 : known(static_cast<uint64_t>(op.imm), op.based ? Origin::kAddress : Origin::kNumber);
  if (op.what == Do::kPush && op.has_memory) return;
  remember(state, at, stored);
}

void Machine::compare(const Op& op, State& state) const {
  state.compared = !op.conditional || op.relation != Relation::kUnstated;
  state.guard = op.conditional ? op.relation : Relation::kUnstated;
  state.flags = op.flags;
  state.unsigned_only = family_ == Family::kPpc && !op.is_signed;
  const bool memory = op.what == Do::kCompareMemory;
  state.left = memory ? loaded(state, op) : value(state, op.a, op);
  state.right = op.b == kNoSlot ? known(static_cast<uint64_t>(op.imm), Origin::kNumber) : value(state, op.b, op);
  if (!memory && op.width != 0 && op.width < 4 && family_ == Family::kX86) {
    state.left = part(state.left, static_cast<uint8_t>(op.width * 8), false);
    if (op.b != kNoSlot)
      state.right = part(state.right, static_cast<uint8_t>(op.width * 8), false);
    else
      state.right.add = low_bits(state.right.add, op.width * 8u);
  }
}

Value Machine::compute(const Op& op, uint32_t mark, State& state) {
  const Value fresh = {.unknown = 2 * mark};
  const auto a = [&] { return value(state, op.a, op); };
  const auto b = [&] {
    return op.b == kNoSlot ? known(static_cast<uint64_t>(op.imm), Origin::kNumber) : value(state, op.b, op);
  };
  const Origin origin = op.based ? Origin::kAddress : Origin::kNumber;
  switch (op.what) {
    case Do::kSet:
    case Do::kPage:
    case Do::kLinkNext:
      return half(op, known(static_cast<uint64_t>(op.imm), op.what == Do::kLinkNext ? Origin::kAddress : origin));
    case Do::kAdd: {
      if (op.has_memory && op.width == 0) return half(op, address(state, op));
      if (op.has_memory) return half(op, sum(a(), loaded(state, op), 0, 0));
      Value right = value(state, op.b, op);
      if (op.extend != 0) right = part(right, static_cast<uint8_t>(std::abs(op.extend)), op.extend < 0);
      return half(op, sum(a(), right, op.shift, op.imm));
    }
    case Do::kSubtract: {
      const Value right = b();
      if (right.number()) return half(op, sum(a(), {}, 0, -static_cast<int64_t>(right.add << op.shift)));
      return fresh;
    }
    case Do::kAnd: {
      const Value one = a(), two = b();
      if (one.number() && two.number()) return half(op, known(one.add & (two.add << op.shift), Origin::kNumber));
      const Value& mask = one.number() ? one : two;
      const Value& other = one.number() ? two : one;
      const uint64_t bits = mask.add + 1;
      if (!mask.number() || mask.add == 0 || (bits & mask.add) != 0 || bits == 0 || op.shift != 0) return fresh;
      return part(other, static_cast<uint8_t>(64 - __builtin_clzll(mask.add)), false);
    }
    case Do::kOr: {
      const Value one = a(), two = op.shift == 0 ? b() : sum({}, b(), op.shift, 0);
      if (one.number() && one.add == 0) return two;
      if (two.number() && two.add == 0) return one;
      if (op.a == op.b && op.a != kNoSlot && op.shift == 0) return one;
      if (family_ == Family::kArm && two.number() && two.add == 1) return one;  // the mode of an address of code
      if (one.number() && two.number()) return half(op, {.add = one.add | two.add, .origin = one.origin});
      return fresh;
    }
    case Do::kExclusive:
      return op.a == op.b && op.a != kNoSlot ? known(0, Origin::kNumber) : fresh;
    case Do::kInsert: {
      const Value old = a();
      if (!old.number()) return fresh;
      const uint64_t hole = ~(uint64_t{0xffff} << op.shift);
      return known((old.add & hole) | (static_cast<uint64_t>(op.imm) << op.shift), old.origin);
    }
    case Do::kShiftLeft:
      return half(op, sum({}, a(), op.shift, 0));
    case Do::kShiftRight: {
      const Value v = a();
      if (v.number()) return known((narrow_ ? v.add & 0xffffffff : v.add) >> op.shift, Origin::kNumber);
      if (v.origin == Origin::kImport) return fresh;
      if (v.shift < op.shift) {
        const uint32_t bits = bits_of(v, narrow_ || op.half ? 32 : 64);
        return bits > op.shift && bits < op.shift + 32u ? bits_from(v, op.shift, bits - op.shift) : fresh;
      }
      return {.add = static_cast<uint64_t>(static_cast<int64_t>(v.add) >> op.shift),
              .unknown = v.unknown,
              .shift = static_cast<uint8_t>(v.shift - op.shift)};
    }
    case Do::kField:
      return field(op, a(), fresh);
    case Do::kNarrow:
      return part(a(), static_cast<uint8_t>(op.width * 8), op.is_signed);
    case Do::kLoad:
      return loaded(state, op);
    case Do::kPop:
      return load(state, state.slots[translator_.stack_pointer()], op.width, false);
    case Do::kLess:
      return {.unknown = unknowns_.of({.kind = Meaning::kLess, .is_signed = op.is_signed, .one = a(), .two = b()})};
    case Do::kTableBranch: {
      const Value entry = load(state, address(state, op), op.width, false);
      return sum(known(op.address + 4, Origin::kAddress), entry, 1, 0);
    }
    default:
      return fresh;
  }
}

void Machine::step(const Op& op, uint32_t mark, State& state) {
  if (op.what == Do::kNothing && op.writes == 0 && !op.forgets_flags && !op.sets_flags) return;
  const Slot sp = translator_.stack_pointer();
  if (op.what == Do::kPush) {
    state.slots[sp] = sum(state.slots[sp], {}, 0, -static_cast<int64_t>(op.width));
    store(op, mark, state);
    return;
  }
  const bool subtracts = op.sets_flags;
  if (op.what == Do::kCompare || op.what == Do::kCompareMemory || subtracts) {
    compare(op, state);
  } else if (op.forgets_flags) {
    state.compared = false;
  }
  Value result;
  const bool table = op.what == Do::kTableBranch;
  const Slot dst = table ? Slot{15} : op.dst;
  if (dst != kNoSlot) result = compute(op, mark, state);
  if (result.unknown == ~uint32_t{0}) result = {.add = result.add, .unknown = 2 * mark, .origin = result.origin};
  if (op.conditional && dst < kSlots && op.flow == Flow::kNone && !(state.slots[dst] == result))
    result = {.unknown = 2 * mark};
  for (uint64_t left = op.writes & ~(uint64_t{1} << dst); left != 0; left &= left - 1) {
    const auto slot = static_cast<Slot>(__builtin_ctzll(left));
    if (op.what == Do::kPop && slot == sp)
      state.slots[sp] = sum(state.slots[sp], {}, 0, op.width);
    else if (slot < kSlots)
      state.slots[slot] = {.unknown = 2 * mark + 1 + (uint32_t{slot} << 24)};
  }
  if (op.what == Do::kStore) store(op, mark, state);
  if (op.what == Do::kTouch) state.epoch = mark;
  // ARM's pushes of several registers, PowerPC's frames: what they write is not followed.
  if (op.what == Do::kAdd && dst == sp && op.imm < 0 && (family_ == Family::kArm || family_ == Family::kPpc)) {
    state.epoch = mark;
    forget_word(state, result, static_cast<uint8_t>(std::min<int64_t>(-op.imm, 255)), program_.pointer);
  }
  if (dst < kSlots) state.slots[dst] = result;
}

// A word of the stack that is pointed to by an argument is for the called function to write: a number kept there is
// known no longer. What lies behind it may be of the same structure, but is mostly none of it.
void Machine::give_away(State& state) const {
  const Value& stack = state.slots[translator_.stack_pointer()];
  for (const Slot slot : translator_.arguments()) {
    const Value& v = state.slots[slot];
    if (v.constant() || v.shift != 0 ||
        (v.unknown != stack.unknown && v.unknown != kEntry + translator_.stack_pointer()))
      continue;
    uint8_t kept = 0;
    for (uint8_t i = 0; i < state.saved; ++i) {
      const State::Saved& s = state.memory[i];
      if (s.address.unknown == v.unknown && s.address.add == v.add && s.value.number()) continue;
      state.memory[kept++] = s;
    }
    state.saved = kept;
  }
}

void Machine::call(uint32_t mark, State& state) const {
  give_away(state);
  for (uint64_t left = translator_.call_clobbers(); left != 0; left &= left - 1) {
    const auto slot = static_cast<uint32_t>(__builtin_ctzll(left));
    state.slots[slot] = {.unknown = 2 * mark + 1 + (slot << 24)};
  }
  state.epoch = mark;
  state.compared = false;
}

namespace {

void add_bound(State& state, const Bound& bound) {
  if (state.bounds == state.bound.size()) {
    std::ranges::rotate(state.bound, state.bound.begin() + 1);
    --state.bounds;
  }
  state.bound[state.bounds++] = bound;
}

}  // namespace

void Machine::tighten(uint32_t unknown, int64_t low, int64_t high, State& state) const {
  for (uint8_t i = 0; i < state.bounds; ++i) {
    Bound& b = state.bound[i];
    if (b.unknown != unknown) continue;
    b.low = std::max(b.low, low), b.high = std::min(b.high, high);
    return;
  }
  add_bound(state, {unknown, low, high});
}

void Machine::relate(const Value& a, Relation relation, const Value& b, State& state) const {
  if (a.constant() && !b.constant()) return relate(b, mirrored(relation), a, state);
  if (!b.number() || a.constant()) return;
  const Meaning& m = unknowns_.meaning(a.unknown);
  if (m.kind == Meaning::kLess && a.add == 0 && a.shift == 0 && b.add == 0) {
    const Relation less = m.is_signed ? Relation::kLess : Relation::kBelow;
    if (relation == Relation::kNotEqual || relation == Relation::kAbove || relation == Relation::kGreater)
      relate(m.one, less, m.two, state);
    if (relation == Relation::kEqual) relate(m.one, opposite(less), m.two, state);
    return;
  }
  if (a.shift != 0) return;
  constexpr int64_t kFarthest = 1 << 20;
  const int64_t add = sign_extend(a.add, 32), k = sign_extend(b.add, 32);
  if (k > kFarthest || k < -kFarthest || add > kFarthest || add < -kFarthest) return;
  const bool natural = k >= 0;
  switch (relation) {
    case Relation::kEqual:
      return tighten(a.unknown, k - add, k - add, state);
    case Relation::kBelow:
      return natural ? tighten(a.unknown, -add, k - 1 - add, state) : void();
    case Relation::kBelowEqual:
      return natural ? tighten(a.unknown, -add, k - add, state) : void();
    case Relation::kLess:
      return tighten(a.unknown, -kUnbounded, k - 1 - add, state);
    case Relation::kLessEqual:
      return tighten(a.unknown, -kUnbounded, k - add, state);
    case Relation::kGreater:
      return tighten(a.unknown, k + 1 - add, kUnbounded, state);
    case Relation::kGreaterEqual:
      return tighten(a.unknown, k - add, kUnbounded, state);
    case Relation::kAbove:
    case Relation::kAboveEqual: {
      const auto known_bound = bound(state, a.unknown);
      if (known_bound && known_bound->low + add >= 0)
        tighten(a.unknown, k - add + (relation == Relation::kAbove), kUnbounded, state);
      return;
    }
    default:
      return;
  }
}

Test Machine::test(const Op& op, const State& state) const {
  if (op.relation == Relation::kUnstated) return {};
  if (op.compares) return {.relation = op.relation, .left = value(state, op.a, op), .right = value(state, op.b, op)};
  if (!state.compared || state.flags != op.flags) return {};
  return {op.relation, state.guard, state.unsigned_only, state.left, state.right};
}

void Machine::assume(const Test& t, bool taken, State& state) const {
  const Relation relation = taken ? t.relation : opposite(t.relation);
  if (relation == Relation::kUnstated) return;
  // `cmpls` that is skipped leaves "above" standing: only where "below or equal" holds it was made for certain.
  if (t.guard != Relation::kUnstated && t.guard != relation) return;
  relate(t.left, t.unsigned_only ? without_sign(relation) : relation, t.right, state);
}

std::optional<Bound> Machine::bound(const State& state, uint32_t unknown) const {
  Bound out{unknown, -kUnbounded, kUnbounded};
  for (uint8_t i = 0; i < state.bounds; ++i)
    if (state.bound[i].unknown == unknown) out = state.bound[i];
  const Meaning& m = unknowns_.meaning(unknown);
  if (m.kind == Meaning::kLoad && m.width < 4 && !m.is_signed) {
    out.low = std::max<int64_t>(out.low, 0);
    out.high = std::min<int64_t>(out.high, (int64_t{1} << (8 * m.width)) - 1);
  }
  if (m.kind == Meaning::kPart && m.width < 32) {
    const int64_t all = (int64_t{1} << m.width) - 1;
    if (!m.is_signed) out.low = std::max<int64_t>(out.low, 0), out.high = std::min(out.high, all);
    // What bounds the whole bounds the part that holds it.
    if (!m.one.constant() && m.one.shift == 0 && m.two == Value{}) {
      const int64_t add = sign_extend(m.one.add, 32);
      for (uint8_t i = 0; i < state.bounds; ++i) {
        const Bound& b = state.bound[i];
        if (b.unknown == m.one.unknown && b.low + add >= 0 && b.high + add <= all)
          out.low = std::max(out.low, b.low + add), out.high = std::min(out.high, b.high + add);
      }
    }
  }
  if (out.low == -kUnbounded && out.high == kUnbounded) return std::nullopt;
  return out;
}

namespace {

uint32_t phi(uint32_t place, uint32_t slot) { return kPhi + place * 64 + slot; }

}  // namespace

namespace {

bool has_both_ends(const Bound& b) { return b.low != -kUnbounded && b.high != kUnbounded; }

// A bit for each of them and a few others: most are told at once to be none.
uint64_t bounded_unknowns(const State& state) {
  uint64_t out = 0;
  for (uint8_t i = 0; i < state.bounds; ++i)
    if (has_both_ends(state.bound[i])) out |= uint64_t{1} << (state.bound[i].unknown & 63);
  return out;
}

}  // namespace

std::optional<Interval> Machine::compared(const State& state, const Value& value) {
  if (value.constant() || value.shift != 0) return std::nullopt;
  const auto bounds = std::span(state.bound).first(state.bounds);
  const auto b = std::ranges::find(bounds, value.unknown, &Bound::unknown);
  if (b == bounds.end() || !has_both_ends(*b)) return std::nullopt;
  const int64_t add = sign_extend(value.add, 32);
  return Interval{b->low + add, b->high + add};
}

void Machine::forget(State& state, uint64_t lost, const std::vector<Value>& words, std::span<const SlotInterval> known,
                     uint32_t place) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < state.bounds; ++i) {
    const uint32_t slot = state.bound[i].unknown - phi(place, 0);
    if (slot >= state.used || (lost >> slot & 1) == 0) state.bound[kept++] = state.bound[i];
  }
  state.bounds = kept;
  for (uint32_t i = 0; i < state.used; ++i)
    if (lost >> i & 1) state.slots[i] = {.unknown = phi(place, i)};
  for (const SlotInterval& k : known) add_bound(state, {phi(place, k.slot), k.in.low, k.in.high});
  state.compared = false;
  state.epoch = phi(place, kSlots);
  kept = 0;
  for (uint8_t i = 0; i < state.saved; ++i)
    if (lost != ~uint64_t{0} && std::ranges::find(words, state.memory[i].address) == words.end())
      state.memory[kept++] = state.memory[i];
  state.saved = kept;
}

void Machine::join(State& into, const State& from, uint32_t place) {
  // A comparison on either way bounds what is held after both.
  struct Joined {
    uint32_t slot;
    int64_t low, high;
  };
  std::array<Joined, std::tuple_size_v<decltype(State::bound)>> joined;
  uint8_t bounds = 0;
  const uint64_t bounded = from.bounds != 0 ? bounded_unknowns(into) : 0;
  for (uint32_t i = 0; i < into.used; ++i) {
    if (into.slots[i] == from.slots[i]) continue;
    if ((bounded >> (into.slots[i].unknown & 63) & 1) != 0 && bounds < joined.size()) [[unlikely]]
      if (const auto one = compared(into, into.slots[i]))
        if (const auto other = compared(from, from.slots[i])) {
          const Interval both = one->with(*other);
          joined[bounds++] = {i, both.low, both.high};
        }
    into.slots[i] = {.unknown = phi(place, i)};
  }
  into.compared = into.compared && from.compared && from.left == into.left && from.right == into.right &&
                  from.flags == into.flags && from.unsigned_only == into.unsigned_only && from.guard == into.guard;
  if (into.epoch != from.epoch) into.epoch = phi(place, kSlots);
  uint8_t kept = 0;
  for (uint8_t i = 0; i < into.bounds; ++i) {
    Bound b = into.bound[i];
    for (uint8_t j = 0; j < from.bounds; ++j)
      if (from.bound[j].unknown == b.unknown) {
        b.low = std::min(b.low, from.bound[j].low), b.high = std::max(b.high, from.bound[j].high);
        into.bound[kept++] = b;
        break;
      }
  }
  into.bounds = kept;
  for (uint8_t i = 0; i < bounds; ++i) add_bound(into, {phi(place, joined[i].slot), joined[i].low, joined[i].high});
  kept = 0;
  for (uint8_t i = 0; i < into.saved; ++i)
    if (from.holds(into.memory[i], i)) {
      if (kept != i) into.memory[kept] = into.memory[i];
      ++kept;
    }
  into.saved = kept;
}

}  // namespace assay::code
