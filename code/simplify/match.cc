// Rules applied: what a pattern finds in the block, and what is built in its place.
#include "code/simplify/evaluate.h"
#include "code/simplify/rewrite.h"

namespace assay::code::ir {

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
      return bound.bind(n.name, v);
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
  if (n.kind == Node::Kind::kValue || n.kind == Node::Kind::kConstant) return op(bound.at(n.name)).bits;
  if (n.kind != Node::Kind::kOperation) return 0;
  if (shape(n.code).compares) return 1;
  if (is_resize(n.code)) return 0;
  for (uint8_t i = n.code == Code::kSelect ? 1 : 0; i < n.count; ++i)
    if (const unsigned bits = width_of(p, n.children[i], bound)) return bits;
  return 0;
}

unsigned Rewriter::operand_width(const Pattern& p, const Node& n, const Binding& bound, unsigned otherwise) const {
  for (uint8_t i = n.count; i-- > 0;)
    if (const unsigned bits = width_of(p, n.children[i], bound)) return bits;
  return otherwise;
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
  if (n.kind == Node::Kind::kConstant) return ir::constant(op(bound.at(n.name)));
  if (n.kind == Node::Kind::kWidth) return bits;
  if (n.kind == Node::Kind::kNumber) return static_cast<uint64_t>(n.number) & mask(bits);
  unsigned operands = bits;
  if (shape(n.code).compares || is_resize(n.code)) operands = operand_width(p, n, bound, bits);
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
      return bound.at(n.name);
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
  const unsigned operands = shape(n.code).compares ? operand_width(p, n, bound, bits) : bits;
  Op out{.code = n.code, .bits = shape(n.code).compares ? uint8_t{1} : width};
  out.a = build(p, n.children[0], bound, place(n, bits, operands, 0));
  if (n.count > 1) out.b = build(p, n.children[1], bound, place(n, bits, operands, 1));
  if (n.count > 2) out.c = build(p, n.children[2], bound, place(n, bits, operands, 2));
  return make(out);
}

Value Rewriter::by_rules(const Op& o) {
  const Op &a = op(o.a), &b = op(o.b);
  for (const Ways::Glance& glance : ways_.of(o.code, a.code, b.code)) {
    if (!glance.may_fit(o, a, b)) continue;
    const Way* const way = glance.way;
    Binding bound;
    if (!match_operation(way->from, way->from.top(), o, bound)) continue;
    if (!holds(*way, bound, o.bits)) continue;
    --budget_;
    ++counters_.rules[way->rule];
    return build(way->to, way->to.root, bound, o.bits);
  }
  return 0;
}

}  // namespace assay::code::ir
