#include "code/simplify/rewrite.h"

#include "code/simplify/evaluate.h"

namespace assay::code::ir {

namespace {

constexpr unsigned kMostRewrites = 24;  // of one operation, those that its replacements cause counted
constexpr unsigned kTableBits = 10;     // where the table is full of other values, a value is made again
constexpr size_t kTableSize = size_t{1} << kTableBits;
constexpr size_t kProbes = 8;
constexpr uint64_t kMostValue = 0xffffffff;

size_t hash_of(const Op& op) {
  const auto words = std::bit_cast<std::array<uint64_t, 2>>(op);
  const uint64_t h = words[0] * 0x9e3779b97f4a7c15 ^ words[1] * 0xc2b2ae3d27d4eb4f;
  return static_cast<size_t>((h ^ h >> 32) * 0x9e3779b97f4a7c15 >> (64 - kTableBits));
}

}  // namespace

Rewriter::Rewriter(Function& out, const Options& options, Counters& counters, bool shared)
    : out_(out),
      counters_(counters),
      ways_(Ways::all()),
      ends_(out, options),
      current_(out.file->registers.size() + out.variables.size()),
      table_(kTableSize),
      shared_(shared) {}

// ---- values

Value Rewriter::share(const Op& o) {
  size_t at = hash_of(o);
  for (size_t i = 0; i < kProbes; ++i, at = (at + 1) % kTableSize) {
    const uint64_t entry = table_[at] ^ block_;
    if (entry > kMostValue) {  // of another block
      const Value v = append(o);
      table_[at] = block_ | v;
      return v;
    }
    const auto v = static_cast<Value>(entry);
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
  const auto r = static_cast<RegisterId>(o.a);
  const Value v = known(o.b);
  if (current_[r] == v) {
    ++counters_.same_writes;
    return;
  }
  append({.code = Code::kPut, .a = r, .b = v});
  current_[r] = v;
}

void Rewriter::opaque(const Function& from, Op o) {
  for (RegisterId r : from.writes(from.effects[o.a])) forget(r);
  if (from.effects[o.a].leaves) forget_all();
  if (!shared_) o.a = take_effect(from, from.effects[o.a]);
  append(o);
}

uint32_t Rewriter::take_effect(const Function& from, Effect e) {
  const auto copy = [&](std::span<const RegisterId> list, uint32_t& first) {
    first = static_cast<uint32_t>(out_.lists.size());
    out_.lists.insert(out_.lists.end(), list.begin(), list.end());
  };
  const std::span<const RegisterId> reads = from.reads(e), writes = from.writes(e);
  copy(reads, e.reads);
  copy(writes, e.writes);
  out_.effects.push_back(std::move(e));
  return static_cast<uint32_t>(out_.effects.size() - 1);
}

// ---- the walk

void Rewriter::effect(const Function& from, Op o, Value at) {
  if (o.code != Code::kOpaque) o.a = known(o.a);
  o.b = known(o.b), o.c = known(o.c);
  if (is_constant(o.c)) {
    ++counters_.guards;
    if (ir::constant(op(o.c)) == 0) {
      if (o.code == Code::kLoad) become(at, constant(o.bits, 0));
      return;
    }
    o.c = 0;
  }
  if (o.code == Code::kOpaque) return opaque(from, o);
  become(at, append(o));
  if (o.code == Code::kCall || (o.code == Code::kTrap && o.trap == Trap::kSystemCall)) forget_all();
}

void Rewriter::step(const Function& from, Op o, Value at) {
  budget_ = kMostRewrites;
  switch (o.code) {
    case Code::kGet:
      return become(at, get(static_cast<RegisterId>(o.a)));
    case Code::kUndefined:  // each is a value of its own
      return become(at, append(o));
    case Code::kConst:
      return become(at, share(o));
    case Code::kPut:
      return put(o);
    case Code::kNone:
      return;
    default:
      break;
  }
  if (!shape(o.code).pure) return effect(from, o, at);
  o.a = known(o.a), o.b = known(o.b), o.c = known(o.c);
  become(at, make(o));
}

void Rewriter::begin_block(uint64_t address) {
  block_ += kMostValue + 1;
  forget_all();
  out_.blocks.push_back({.address = address,
                         .first = static_cast<uint32_t>(out_.ops.size()),
                         .mark = static_cast<uint32_t>(out_.marks.size())});
}

// ---- what nobody reads again: flags, above all. It goes before anything is done about it

void Rewriter::back_over(const Function& from, const Op& o, RegisterSet& live) const {
  if (o.code == Code::kOpaque) {
    live |= ends_.touched(from, o);
  } else if (o.code == Code::kCall && o.c == 0) {
    live = live.without(ends_.lost_at_call);
    live |= ends_.call;
  } else if (o.code == Code::kReturn && o.c == 0) {
    live = ends_.give_back;
  } else {
    live |= ends_.behind(o);
  }
}

void Rewriter::find_dead(const Function& from, const Block& b, const RegisterSet& behind) {
  const Value last = b.first + b.count - 1;
  dead_.mark(from, b, behind, counters_, [&](Value at, const Op& o, RegisterSet& live) {
    if (at != last || o.code != Code::kJump) back_over(from, o, live);
  });
}

void Rewriter::piece(const Function& from, const Block& b, const RegisterSet* behind) {
  if (behind != nullptr) find_dead(from, b, *behind);
  if (map_.size() < b.first + size_t{b.count}) map_.resize(b.first + size_t{b.count});
  Value at = b.first;
  const auto until = [&](Value end) {
    for (; at < end; ++at)
      if (behind == nullptr || dead_.keeps(at, b.first)) step(from, from.ops[at], at);
  };
  for (uint32_t m = b.mark; m < b.mark + b.marks; ++m) {
    until(from.marks[m].op);
    out_.marks.push_back({from.marks[m].address, static_cast<uint32_t>(out_.ops.size())});
  }
  until(b.first + b.count);
  counters_.operations_before += b.count;
}

void Rewriter::end_block(uint64_t next) {
  Block& b = out_.blocks.back();
  b.next = next;
  b.count = static_cast<uint32_t>(out_.ops.size()) - b.first;
  b.marks = static_cast<uint32_t>(out_.marks.size()) - b.mark;
}

void rewrite(Function& f, const Options& options, Counters& counters) {
  Function out;
  out.file = f.file;
  out.variables = f.variables;
  out.ops.reserve(f.ops.size());
  out.marks.reserve(f.marks.size());
  out.blocks.reserve(f.blocks.size());
  Rewriter rewriter(out, options, counters);
  BlockSweep sweep;
  const RegisterSet all = RegisterSet::all();
  for (const Block& b : f.blocks) {
    rewriter.begin_block(b.address);
    rewriter.piece(f, b, &all);
    rewriter.end_block(b.next);
    sweep_last_block(out, sweep, counters);
  }
  f = std::move(out);
}

}  // namespace assay::code::ir
