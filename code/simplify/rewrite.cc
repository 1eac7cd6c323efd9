#include "code/simplify/rewrite.h"

#include "code/simplify/block_sweep.h"
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

Rewriter::Rewriter(Function& out, Counters& counters)
    : out_(out),
      counters_(counters),
      ways_(Ways::all()),
      current_(out.file->registers.size() + out.variables.size()),
      table_(kTableSize) {}

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
  Effect e = from.effects[o.a];
  const auto copy = [&](std::span<const RegisterId> list, uint32_t& first) {
    first = static_cast<uint32_t>(out_.lists.size());
    out_.lists.insert(out_.lists.end(), list.begin(), list.end());
  };
  copy(from.reads(from.effects[o.a]), e.reads);
  copy(from.writes(from.effects[o.a]), e.writes);
  for (RegisterId r : from.writes(from.effects[o.a])) forget(r);
  if (e.leaves) forget_all();
  o.a = static_cast<uint32_t>(out_.effects.size());
  out_.effects.push_back(std::move(e));
  append(o);
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
      return become(at, as_it_is_ ? append(o) : share(o));
    case Code::kPut:
      return put(o);
    case Code::kNone:
      return;
    default:
      break;
  }
  if (!shape(o.code).pure) return effect(from, o, at);
  o.a = known(o.a), o.b = known(o.b), o.c = known(o.c);
  become(at, as_it_is_ ? append(o) : make(o));
}

void Rewriter::begin_block(uint64_t address, bool as_it_is) {
  as_it_is_ = as_it_is;
  block_ += kMostValue + 1;
  forget_all();
  out_.blocks.push_back({.address = address,
                         .first = static_cast<uint32_t>(out_.ops.size()),
                         .mark = static_cast<uint32_t>(out_.marks.size())});
}

void Rewriter::piece(const Function& from, const Block& b) {
  if (map_.size() < b.first + size_t{b.count}) map_.resize(b.first + size_t{b.count});
  Value at = b.first;
  const auto until = [&](Value end) {
    for (; at < end; ++at) step(from, from.ops[at], at);
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

namespace {

bool has_variables(const Function& f, const Block& b) {
  const size_t registers = f.file->registers.size();
  for (Value at = b.first; at < b.first + b.count; ++at)
    if ((f.ops[at].code == Code::kGet || f.ops[at].code == Code::kPut) && f.ops[at].a >= registers) return true;
  return false;
}

void rewrite_blocks(Function& f, bool again, Counters& counters) {
  Function out;
  out.file = f.file;
  out.variables = f.variables;
  out.ops.reserve(f.ops.size());
  out.marks.reserve(f.marks.size());
  out.blocks.reserve(f.blocks.size());
  Rewriter rewriter(out, counters);
  BlockSweep sweep;
  for (const Block& b : f.blocks) {
    const bool as_it_is = again && !has_variables(f, b);
    rewriter.begin_block(b.address, as_it_is);
    rewriter.piece(f, b);
    rewriter.end_block(b.next);
    if (!as_it_is) sweep_last_block(out, sweep, counters);
  }
  f = std::move(out);
}

}  // namespace

void rewrite(Function& f, const Options&, Counters& counters) { rewrite_blocks(f, false, counters); }
// What no rule fitted before none fits now, where nothing has changed.
void rewrite_again(Function& f, const Options&, Counters& counters) { rewrite_blocks(f, true, counters); }

}  // namespace assay::code::ir
