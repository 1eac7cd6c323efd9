// What registers hold, as far as addresses depend on it: constants, and `constant + (unknown << shift)` of numbered
// unknowns. Two registers with one unknown are known to agree, so what a compare says of one bounds the other.
#pragma once
#include "code/op.h"
#include "code/program.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace assay::code {

class Translator;

enum class Origin : uint8_t {
  kNumber,   // of instructions' immediates alone
  kAddress,  // counted from the program counter, $gp, or loaded from the table of offsets
  kImport,   // Value::add is an index into Program::imports
};

struct Value {
  uint64_t add = 0;
  uint32_t unknown = 0;  // 0: none, a constant
  uint8_t shift = 0;
  Origin origin = Origin::kNumber;
  uint16_t none = 0;  // no byte is left that has no value: two are compared as two words
  bool constant() const { return unknown == 0; }
  bool number() const { return unknown == 0 && origin != Origin::kImport; }
  auto operator<=>(const Value&) const = default;
  bool operator==(const Value& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};
static_assert(std::has_unique_object_representations_v<Value>);

// What an unknown is, where that matters: a word that was read, a part of another value, the outcome of a comparison.
struct Meaning {
  enum Kind : uint8_t { kNothing, kLoad, kPart, kLess } kind = kNothing;
  uint8_t width = 0;  // bytes read; bits that stay
  bool is_signed = false;
  uint32_t epoch = 0;  // of memory
  Value one, two;      // the address; the whole; what is compared
  auto operator<=>(const Meaning&) const = default;
};

// Meanings by number: equal meanings are one unknown. Meanings that a program has collide are found in a tree.
class Unknowns {
 public:
  static constexpr uint32_t kFirst = uint32_t{1} << 31;
  void clear();
  uint32_t of(const Meaning& meaning);
  const Meaning& meaning(uint32_t unknown) const;

 private:
  uint32_t& place(const Meaning& meaning);
  std::vector<Meaning> all_;
  std::vector<uint32_t> table_;  // by hash, from 1 on
  std::map<Meaning, uint32_t> crowded_out_;
};

struct Bound {
  uint32_t unknown = 0;
  int64_t low = 0, high = 0;
  bool operator==(const Bound&) const = default;
};
constexpr int64_t kUnbounded = int64_t{1} << 62;

struct Interval {
  int64_t low = 0, high = 0;
  bool holds(const Interval& other) const { return low <= other.low && other.high <= high; }
  Interval with(const Interval& other) const { return {std::min(low, other.low), std::max(high, other.high)}; }
};
struct SlotInterval {
  Slot slot = kNoSlot;
  Interval in;
  bool widened = false;
};

struct State {
  std::array<Value, kSlots> slots{};
  Slot used = kSlots;  // slots of this processor
  Value left, right;   // of the last comparison
  bool compared = false;
  uint8_t flags = 0;                     // which flags it set
  bool unsigned_only = false;            // PowerPC: "less" means below
  bool doubtful = false;                 // behind a call that does not come back
  Relation guard = Relation::kUnstated;  // of flags, under which alone it was made; kUnstated: always
  uint8_t bounds = 0, saved = 0;
  uint32_t epoch = 0;  // of memory: changes with every store
  std::array<Bound, 6> bound{};
  struct Saved {
    Value address, value;
    bool operator==(const Saved&) const = default;
  };
  std::array<Saved, 24> memory{};  // words of the stack
  // Whether a word of the stack holds that; where it stands among others elsewhere, it mostly stands here.
  bool holds(const Saved& word, uint8_t place) const {
    if (place < saved && memory[place] == word) return true;
    return std::find(memory.data(), memory.data() + saved, word) != memory.data() + saved;
  }

  State() = default;
  State(const State& other) { *this = other; }
  // Of the lists, what is in them.
  State& operator=(const State& other) {
    if (this == &other) return *this;
    used = other.used;
    std::copy_n(other.slots.begin(), used, slots.begin());
    left = other.left, right = other.right;
    compared = other.compared, flags = other.flags, unsigned_only = other.unsigned_only, guard = other.guard;
    bounds = other.bounds, saved = other.saved, epoch = other.epoch, doubtful = other.doubtful;
    std::copy_n(other.bound.begin(), bounds, bound.begin());
    std::copy_n(other.memory.begin(), saved, memory.begin());
    return *this;
  }
};

// What a branch goes by, read off before its delay slot runs.
struct Test {
  Relation relation = Relation::kUnstated, guard = Relation::kUnstated;
  bool unsigned_only = false;
  Value left, right;
};

// Steps a State through instructions.
class Machine {
 public:
  Machine(const Program& program, const Translator& translator, Unknowns& unknowns);

  State entry(uint64_t function) const;
  Value entry_stack() const;  // of the stack pointer, as any function is entered
  // `mark`: a number of its own for each instruction, from 1 on; what it writes and nobody understands bears it.
  void step(const Op& op, uint32_t mark, State& state);
  void call(uint32_t mark, State& state) const;
  Value value(const State& state, Slot slot, const Op& op) const;
  Value address(const State& state, const Op& op) const;  // of its memory
  Value loaded(const State& state, const Op& op) const;
  Value target(const State& state, const Op& op) const;  // of an indirect jump or call
  // What holds if the relation of `op` does, or (taken = false) does not.
  void assume(const Op& op, bool taken, State& state) const { assume(test(op, state), taken, state); }
  Test test(const Op& op, const State& state) const;
  void assume(const Test& test, bool taken, State& state) const;
  std::optional<Bound> bound(const State& state, uint32_t unknown) const;
  // While it watches, what is taken off an unknown before it is scaled to be an index is taken down.
  void watch(bool on) { watches_ = on, indexes_.clear(); }
  int64_t lowest_index(uint32_t unknown) const;
  // Makes `into` what holds after either. `place` numbers what is not known any more.
  static void join(State& into, const State& from, uint32_t place);
  // The slots of the mask `lost`, and words of the stack, hold something new at `place`; what is known of some of it.
  static void forget(State& state, uint64_t lost, const std::vector<Value>& words, std::span<const SlotInterval> known,
                     uint32_t place);
  // Where comparisons put it on both sides.
  static std::optional<Interval> compared(const State& state, const Value& value);
  const Unknowns& unknowns() const { return unknowns_; }

 private:
  void give_away(State& state) const;
  Value known(uint64_t number, Origin origin) const;
  Value half(const Op& op, Value v) const;
  void note_index(const Value& index) const;
  Value sum(const Value& a, const Value& b, uint8_t shift, int64_t add) const;
  Value compute(const Op& op, uint32_t mark, State& state);
  Value part(const Value& whole, uint8_t bits, bool is_signed) const;
  uint32_t bits_of(const Value& v, uint32_t most) const;
  Value bits_from(const Value& v, uint8_t from, uint32_t bits) const;
  Value field(const Op& op, const Value& a, const Value& fresh) const;
  Value load(const State& state, const Value& address, uint8_t width, bool is_signed) const;
  void store(const Op& op, uint32_t mark, State& state) const;
  void compare(const Op& op, State& state) const;
  void relate(const Value& a, Relation relation, const Value& b, State& state) const;
  void tighten(uint32_t unknown, int64_t low, int64_t high, State& state) const;

  const Program& program_;
  const Translator& translator_;
  Unknowns& unknowns_;
  Family family_;
  bool narrow_;  // 32-bit
  bool watches_ = false;
  mutable std::vector<std::pair<uint32_t, int64_t>> indexes_;
};

}  // namespace assay::code
