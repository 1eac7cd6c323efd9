#include "code/simplify/rewrite.h"

#include "code/simplify/block_sweep.h"
#include "code/simplify/evaluate.h"

namespace assay::code::ir {

namespace {

constexpr unsigned kMostRewrites = 24;  // of one operation, those that its replacements cause counted
constexpr size_t kTableSize = 1024;     // where it is full of other values, a value is made again
constexpr size_t kProbes = 8;

bool is_resize(Code code) { return code == Code::kZeroExtend || code == Code::kSignExtend || code == Code::kTruncate; }

size_t hash_of(const Op& op) {
  uint64_t h = static_cast<uint64_t>(op.code) << 8 | op.bits;
  for (uint32_t part : {op.a, op.b, op.c}) h = (h ^ part) * 0x9e3779b97f4a7c15;
  return static_cast<size_t>(h >> 32);
}

}  // namespace

// ---- patterns

bool Rewriter::match(const Pattern& p, uint8_t node, Value v, Binding& bound) const {
  const Node& n = p.nodes[node];
  const Op& o = op(v);
  if (n.bits != 0 && n.bits != o.bits) return false;
  switch (n.kind) {
    case Node::Kind::kOperation:
      return n.code == o.code && match_operation(p, n, o, bound);
    case Node::Kind::kNumber:
      return o.code == Code::kConst && ir::constant(o) == (static_cast<uint64_t>(n.number) & mask(o.bits));
    case Node::Kind::kConstant:
      if (o.code != Code::kConst) return false;
      [[fallthrough]];
    default:
      if (bound.of[n.name] == 0) bound.of[n.name] = v;
      return bound.of[n.name] == v;
  }
}

bool Rewriter::match_operation(const Pattern& p, const Node& n, const Op& o, Binding& bound) const {
  if (n.bits != 0 && n.bits != o.bits) return false;
  return match(p, n.children[0], o.a, bound) && (n.count < 2 || match(p, n.children[1], o.b, bound)) &&
         (n.count < 3 || match(p, n.children[2], o.c, bound));
}

// The width of a node's value as far as the bound names say; 0: a number's, which its place decides.
unsigned Rewriter::width_of(const Pattern& p, uint8_t node, const Binding& bound) const {
  const Node& n = p.nodes[node];
  if (n.kind == Node::Kind::kValue || n.kind == Node::Kind::kConstant) return op(bound.of[n.name]).bits;
  if (n.kind != Node::Kind::kOperation) return 0;
  if (shape(n.code).compares) return 1;
  if (is_resize(n.code)) return 0;
  for (uint8_t i = n.code == Code::kSelect ? 1 : 0; i < n.count; ++i)
    if (const unsigned bits = width_of(p, n.children[i], bound)) return bits;
  return 0;
}

namespace {
// The width of what stands below a node of `bits`.
unsigned place(const Node& n, unsigned bits, unsigned operands, uint8_t child) {
  if (n.code == Code::kSelect && child == 0) return 1;
  return shape(n.code).compares ? operands : bits;
}
}  // namespace

uint64_t Rewriter::number(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits) const {
  const Node& n = p.nodes[node];
  if (n.kind == Node::Kind::kConstant) return ir::constant(op(bound.of[n.name]));
  if (n.kind == Node::Kind::kWidth) return bits;
  if (n.kind == Node::Kind::kNumber) return static_cast<uint64_t>(n.number) & mask(bits);
  unsigned operands = bits;
  for (uint8_t i = 0; i < n.count; ++i)
    if (const unsigned w = width_of(p, n.children[i], bound)) operands = w;
  std::array<uint64_t, 3> of{};
  for (uint8_t i = 0; i < n.count; ++i) of[i] = number(p, n.children[i], bound, place(n, bits, operands, i));
  return fold(n.code, shape(n.code).compares ? 1 : bits, operands, of[0], of[1], of[2]);
}

bool Rewriter::holds(const Way& way, const Binding& bound, unsigned bits) const {
  return way.when.nodes.empty() || number(way.when, way.when.root, bound, bits) == 1;
}

Value Rewriter::build(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits) {
  const Node& n = p.nodes[node];
  const auto width = static_cast<uint8_t>(bits);
  switch (n.kind) {
    case Node::Kind::kValue:
    case Node::Kind::kConstant:
      return bound.of[n.name];
    case Node::Kind::kNumber:
      return constant(bits, static_cast<uint64_t>(n.number));
    case Node::Kind::kWidth:
      return constant(bits, bits);
    case Node::Kind::kFitZero:
    case Node::Kind::kFitSign: {
      unsigned from = width_of(p, n.children[0], bound);
      if (from == 0) from = bits;
      const Value v = build(p, n.children[0], bound, from);
      if (from == bits) return v;
      const Code wider = n.kind == Node::Kind::kFitZero ? Code::kZeroExtend : Code::kSignExtend;
      return make({.code = from < bits ? wider : Code::kTruncate, .bits = width, .a = v});
    }
    default:
      break;
  }
  unsigned operands = bits;
  if (shape(n.code).compares)
    for (uint8_t i = 0; i < n.count; ++i)
      if (const unsigned w = width_of(p, n.children[i], bound)) operands = w;
  Op out{.code = n.code, .bits = shape(n.code).compares ? uint8_t{1} : width};
  out.a = build(p, n.children[0], bound, place(n, bits, operands, 0));
  if (n.count > 1) out.b = build(p, n.children[1], bound, place(n, bits, operands, 1));
  if (n.count > 2) out.c = build(p, n.children[2], bound, place(n, bits, operands, 2));
  return make(out);
}

Value Rewriter::by_rules(const Op& o) {
  for (const Way& way : Ways::all().of[static_cast<size_t>(o.code)]) {
    if (way.first != Code::kNone && way.first != op(o.a).code) continue;
    Binding bound;
    if (!match_operation(way.from, way.from.top(), o, bound)) continue;
    if (!holds(way, bound, o.bits)) continue;
    --budget_;
    ++counters_.rules[way.rule];
    return build(way.to, way.to.root, bound, o.bits);
  }
  return 0;
}

// ---- values

Value Rewriter::share(const Op& o) {
  size_t at = hash_of(o) % kTableSize;
  for (size_t i = 0; i < kProbes; ++i, at = (at + 1) % kTableSize) {
    // What is left of other blocks and functions is free, unless by chance it names just such an operation of this one.
    Value& v = table_[at];
    if (v >= begin_ && v < out_.ops.size()) {
      if (out_.ops[v] != o) continue;
      counters_.common += o.code != Code::kConst;
      return v;
    }
    append(o);
    return v = static_cast<Value>(out_.ops.size() - 1);
  }
  append(o);
  return static_cast<Value>(out_.ops.size() - 1);
}

Value Rewriter::make(Op o) {
  const Shape& s = shape(o.code);
  if (s.commutes && (is_constant(o.a) || (o.a > o.b && !is_constant(o.b)))) std::swap(o.a, o.b);
  const bool constants =
      s.values > 0 && is_constant(o.a) && (s.values < 2 || is_constant(o.b)) && (s.values < 3 || is_constant(o.c));
  if (constants) {
    ++counters_.folded;
    const auto n = [&](Value v, bool there) { return there ? ir::constant(op(v)) : 0; };
    return constant(o.bits,
                    fold(o.code, o.bits, op(o.a).bits, n(o.a, true), n(o.b, s.values > 1), n(o.c, s.values > 2)));
  }
  if (budget_ != 0) {
    if (const Value v = by_rules(o)) return v;
  } else {
    ++counters_.budgets;
  }
  return share(o);
}

void Rewriter::append(const Op& o) { out_.ops.push_back(o); }

// ---- registers

Value Rewriter::get(RegisterId r) {
  if (current_.size() <= r) current_.resize(r + 1U);
  Value& v = current_[r];
  if (v >= begin_ && v < out_.ops.size()) {
    ++counters_.copies;
    return v;
  }
  append({.code = Code::kGet, .bits = out_.reg(r).bits, .a = r});
  return v = static_cast<Value>(out_.ops.size() - 1);
}

void Rewriter::forget(RegisterId r) {
  if (r < current_.size()) current_[r] = 0;
}

// Whoever is called, and the kernel, changes registers.
void Rewriter::forget_all() { std::fill(current_.begin(), current_.end(), 0); }

void Rewriter::put(const Op& o) {
  const auto r = static_cast<RegisterId>(o.a);
  const Value v = known(o.b);
  if (current_.size() <= r) current_.resize(r + 1U);
  if (current_[r] == v && v >= begin_) {
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
  if (o.code == Code::kPut) return put(o);
  const Shape& s = shape(o.code);
  if (s.values > 0) o.a = known(o.a);
  if (s.values > 1) o.b = known(o.b);
  if (o.c != 0) o.c = known(o.c);
  if (o.c != 0 && is_constant(o.c)) {
    ++counters_.guards;
    if (ir::constant(op(o.c)) == 0) {
      if (o.code == Code::kLoad) map_[at - first_] = constant(o.bits, 0);
      return;
    }
    o.c = 0;
  }
  if (o.code == Code::kOpaque) return opaque(from, o);
  append(o);
  if (o.code == Code::kCall || (o.code == Code::kTrap && o.trap == Trap::kSystemCall)) forget_all();
  map_[at - first_] = static_cast<Value>(out_.ops.size() - 1);
}

void Rewriter::step(const Function& from, Op o, Value at) {
  budget_ = kMostRewrites;
  if (!shape(o.code).pure) return effect(from, o, at);
  Value& v = map_[at - first_];
  if (o.code == Code::kGet) {
    v = get(static_cast<RegisterId>(o.a));
  } else if (o.code == Code::kUndefined) {  // each is a value of its own
    append(o);
    v = static_cast<Value>(out_.ops.size() - 1);
  } else if (o.code == Code::kConst) {
    v = share(o);
  } else {
    for_values(o, [&](Value& operand) { operand = known(operand); });
    v = make(o);
  }
}

void Rewriter::begin_block(uint64_t address) {
  if (table_.empty()) table_.resize(kTableSize);
  begin_ = static_cast<Value>(out_.ops.size());
  forget_all();
  out_.blocks.push_back({.address = address, .first = begin_, .mark = static_cast<uint32_t>(out_.marks.size())});
}

void Rewriter::piece(const Function& from, Value first, Value end, uint32_t first_mark, uint32_t marks) {
  first_ = first;
  map_.assign(end - first, 0);
  uint32_t mark = first_mark;
  const auto mark_until = [&](Value at) {
    for (; mark < first_mark + marks && from.marks[mark].op <= at; ++mark)
      out_.marks.push_back({from.marks[mark].address, static_cast<uint32_t>(out_.ops.size())});
  };
  for (Value at = first; at < end; ++at) {
    mark_until(at);
    if (from.ops[at].code == Code::kNone) continue;
    ++counters_.operations_before;
    step(from, from.ops[at], at);
  }
  mark_until(end);
}

void Rewriter::end_block(uint64_t next) {
  Block& b = out_.blocks.back();
  b.next = next;
  b.count = static_cast<uint32_t>(out_.ops.size()) - b.first;
  b.marks = static_cast<uint32_t>(out_.marks.size()) - b.mark;
}

void rewrite(Function& f, const Options&, Counters& counters) {
  Function out;
  out.file = f.file;
  out.variables = f.variables;
  out.ops.reserve(f.ops.size());
  out.marks.reserve(f.marks.size());
  out.blocks.reserve(f.blocks.size());
  Rewriter rewriter(out, counters);
  BlockSweep sweep;
  for (const Block& b : f.blocks) {
    rewriter.begin_block(b.address);
    rewriter.piece(f, b.first, b.first + b.count, b.mark, b.marks);
    rewriter.end_block(b.next);
    sweep_last_block(out, sweep, counters);
  }
  f = std::move(out);
}

}  // namespace assay::code::ir
