#include "code/simplify/rewrite.h"

#include "code/ir_build.h"
#include "code/simplify/evaluate.h"
#include "code/simplify/sweep.h"

namespace assay::code::ir {

namespace {

constexpr unsigned kMostRewrites = 24;  // of one operation, those that its replacements cause counted
constexpr unsigned kTableBits = 10;     // where the table is full of other values, a value is made again
constexpr size_t kTableSize = size_t{1} << kTableBits;
constexpr size_t kProbes = 8;
constexpr uint32_t kMostPlace = 0xffff;

size_t hash_of(const Op& op) {
  const auto words = std::bit_cast<std::array<uint64_t, 2>>(op);
  const uint64_t h = words[0] * 0x9e3779b97f4a7c15 ^ words[1] * 0xc2b2ae3d27d4eb4f;
  return static_cast<size_t>((h ^ h >> 32) * 0x9e3779b97f4a7c15 >> (64 - kTableBits));
}

}  // namespace

Rewriter::Rewriter(Function& out, const Options& options, Counters& counters, const Function* shared)
    : out_(out),
      counters_(counters),
      ways_(Ways::all()),
      ends_(out, options),
      effects_(shared == nullptr ? out : *shared),
      current_(out.file->registers.size() + out.variables.size()),
      table_(kTableSize) {}

// ---- values

Value Rewriter::share(const Op& o) {
  size_t at = hash_of(o);
  for (size_t i = 0; i < kProbes; ++i, at = (at + 1) % kTableSize) {
    const uint32_t place = table_[at] ^ block_;
    const Value v = first_ + place;
    if (place > kMostPlace || v >= out_.ops.size()) {  // of another block
      const Value made = append(o);
      if (made - first_ <= kMostPlace) table_[at] = block_ | (made - first_);
      return made;
    }
    if (out_.ops[v] != o) continue;
    counters_.common += o.code != Code::kConst;
    return v;
  }
  return append(o);
}

Value Rewriter::fold_constants(const Op& o) {
  ++counters_.folded;
  const auto n = [&](Value v) { return is_constant(v) ? ir::constant(op(v)) : 0; };
  return constant(o.bits, fold(o.code, o.bits, op(o.a).bits, n(o.a), n(o.b), n(o.c)));
}

Value Rewriter::make(Op o) {
  const Shape& s = shape(o.code);
  if (s.commutes && (is_constant(o.a) || (o.a > o.b && !is_constant(o.b)))) std::swap(o.a, o.b);
  if (s.values > 0 && is_constant(o.a) && (s.values < 2 || is_constant(o.b)) && (s.values < 3 || is_constant(o.c)))
    return fold_constants(o);
  if (budget_ == 0)
    ++counters_.budgets;
  else if (const Value v = by_rules(o))
    return v;
  return share(o);
}

// ---- registers

Value Rewriter::get(RegisterId r) {
  Value& v = current_[r];
  if (v != 0) {
    ++counters_.copies;
    return v;
  }
  return v = append({.code = Code::kGet, .bits = out_.reg(r).bits, .a = r});
}

void Rewriter::forget(RegisterId r) { current_[r] = 0; }

// Whoever is called, and the kernel, changes registers.
void Rewriter::forget_all() { std::fill(current_.begin(), current_.end(), 0); }

void Rewriter::put(const Op& o) {
  if (current_[o.a] == o.b) {
    ++counters_.same_writes;
    return;
  }
  append(o);
  current_[o.a] = o.b;
}

// ---- effects

Value Rewriter::effect(Op o) {
  if (is_constant(o.c)) {
    ++counters_.guards;
    if (ir::constant(op(o.c)) == 0) return o.code == Code::kLoad ? constant(o.bits, 0) : 0;
    o.c = 0;
  }
  if (o.code == Code::kOpaque) return opaque(o);
  const Value v = append(o);
  if (o.code == Code::kCall || (o.code == Code::kTrap && o.trap == Trap::kSystemCall)) forget_all();
  return v;
}

Value Rewriter::opaque(const Op& o) {
  const Effect& e = effects_.effects[o.a];
  for (RegisterId r : effects_.writes(e)) forget(r);
  if (e.leaves) forget_all();
  return append(o);
}

Value Rewriter::take(const Op& o) {
  ++counters_.operations_before;
  last_ = o;
  budget_ = kMostRewrites;
  switch (o.code) {
    case Code::kGet:
      return get(static_cast<RegisterId>(o.a));
    case Code::kUndefined:  // each is a value of its own
      return append(o);
    case Code::kConst:
      return share(o);
    case Code::kPut:
      put(o);
      return 0;
    case Code::kNone:
      return 0;
    default:
      return shape(o.code).pure ? make(o) : effect(o);
  }
}

Value take(Rewriter& through, const Op& op) { return through.take(op); }

void Rewriter::begin_block(uint64_t address) {
  block_ += kMostPlace + 1;
  forget_all();
  first_ = static_cast<Value>(out_.ops.size());
  out_.blocks.push_back({.address = address, .first = first_, .mark = static_cast<uint32_t>(out_.marks.size())});
}

void Rewriter::end_block(uint64_t next) {
  Block& b = out_.blocks.back();
  b.next = next;
  b.count = static_cast<uint32_t>(out_.ops.size()) - b.first;
  b.marks = static_cast<uint32_t>(out_.marks.size()) - b.mark;
}

// ---- what is there already, rewritten

// What nobody reads again, flags above all, goes before anything is done about it.
void Rewriter::find_dead(const Function& from, const Block& b) {
  const Value last = b.first + b.count - 1;
  dead_.mark(from, b, ends_.all, counters_, [&](Value at, const Op& o, RegisterSet& live) {
    if (at != last || o.code != Code::kJump) ends_.back_over(from, o, live);
  });
}

uint32_t Rewriter::take_effect(const Function& from, Effect e) {
  const auto copy = [&](std::span<const RegisterId> list, uint32_t& first) {
    first = static_cast<uint32_t>(out_.lists.size());
    for (const RegisterId r : list) out_.lists.push_back(r);
  };
  const std::span<const RegisterId> reads = from.reads(e), writes = from.writes(e);
  copy(reads, e.reads);
  copy(writes, e.writes);
  out_.effects.push_back(e);
  return static_cast<uint32_t>(out_.effects.size() - 1);
}

Value Rewriter::step(const Function& from, const Block& b, Op o) {
  for_values(o, [&](Value& v) { v = map_[v - b.first]; });
  if (o.code == Code::kOpaque && &effects_ == &out_) o.a = take_effect(from, from.effects[o.a]);
  return take(o);
}

void Rewriter::copy(const Function& from, const Block& b, bool swept) {
  if (swept) find_dead(from, b);
  if (map_.size() < b.count) map_.resize(b.count);
  Value at = b.first;
  const auto until = [&](Value end) {
    for (; at < end; ++at)
      if (!swept || dead_.keeps(at, b.first)) map_[at - b.first] = step(from, b, from.ops[at]);
  };
  for (uint32_t m = b.mark; m < b.mark + b.marks; ++m) {
    until(from.marks[m].op);
    out_.marks.push_back({from.marks[m].offset, static_cast<uint32_t>(out_.ops.size())});
  }
  until(b.first + b.count);
}

void rewrite(const Function& from, Function& out, Sweep& sweep, const Options& options, Counters& counters) {
  Rewriter rewriter(out, options, counters);
  for (const Block& b : from.blocks) {
    rewriter.begin_block(b.address);
    rewriter.copy(from, b, true);
    rewriter.end_block(b.next);
    sweep.last_block();
  }
}

}  // namespace assay::code::ir
