#include "simplify/terms.h"

#include "lift/interpreter.h"

namespace assay::code::ir {

// ---- widths

Widths::Widths(const Rule& rule) : from_(read_pattern(rule.from)), to_(read_pattern(rule.to)), when_() {
  const size_t found = type('f', from_.root), put = type('t', to_.root);
  join(found, put);
  if (!rule.when.empty()) {
    when_ = read_pattern(rule.when);
    join(type('w', when_.root), fresh(1));
  }
  for (size_t i = 0; i < parent_.size(); ++i)
    if (fixed_[i] != 0) fixed_[root(i)] = size_[root(i)] = fixed_[i];
}

size_t Widths::fresh(unsigned fixed) {
  parent_.push_back(parent_.size());
  fixed_.push_back(fixed);
  size_.push_back(fixed);
  return parent_.size() - 1;
}
size_t Widths::root(size_t c) const {
  while (parent_[c] != c) c = parent_[c];
  return c;
}
void Widths::join(size_t a, size_t b) {
  a = root(a), b = root(b);
  if (a == b) return;
  if (fixed_[a] == 0) fixed_[a] = size_[a] = fixed_[b];
  parent_[b] = a;
}

size_t Widths::type(char side, uint8_t node) {
  const Node& n = this->side(side).nodes[node];
  size_t here = 0;
  if (n.kind == Node::Kind::kValue || n.kind == Node::Kind::kConstant) {
    const auto [at, is_new] = names_.try_emplace(n.name, 0);
    if (is_new) at->second = fresh();
    here = at->second;
  } else {
    here = fresh();
  }
  if (n.bits != 0) join(here, fresh(n.bits));
  if (side == 'w' && n.code == Code::kTruncate) join(here, class_.at({'f', from_.root}));
  class_[{side, node}] = here;
  const bool operation = n.kind == Node::Kind::kOperation;
  for (uint8_t i = 0; i < n.count; ++i) {
    const size_t child = type(side, n.children[i]);
    if (!operation) continue;
    if (n.code == Code::kZeroExtend || n.code == Code::kSignExtend)
      orders_.push_back({child, here});
    else if (n.code == Code::kTruncate)
      orders_.push_back({here, child});
    else if (n.code == Code::kSelect && i == 0)
      join(child, fresh(1));
    else if (shape(n.code).compares)
      join(child, class_.at({side, n.children[0]}));
    else
      join(child, here);
  }
  if (operation && shape(n.code).compares) join(here, fresh(1));
  return here;
}

bool Widths::allowed() const {
  return std::all_of(orders_.begin(), orders_.end(),
                     [&](const Order& o) { return size_[root(o.narrow)] < size_[root(o.wide)]; });
}

bool Widths::mentions(Code code) const {
  for (const Pattern* p : {&from_, &to_, &when_})
    for (const Node& n : p->nodes)
      if (n.code == code) return true;
  return false;
}

// ---- values

uint64_t value_of(const Widths& w, char side, uint8_t node, std::span<const uint64_t> names) {
  const Node& n = w.side(side).nodes[node];
  const unsigned bits = w.of(side, node);
  std::array<uint64_t, 3> of{};
  for (uint8_t i = 0; i < n.count; ++i) of[i] = value_of(w, side, n.children[i], names);
  const unsigned from = n.count > 0 ? w.of(side, n.children[0]) : 0;
  switch (n.kind) {
    case Node::Kind::kNumber:
      return static_cast<uint64_t>(n.number) & mask(bits);
    case Node::Kind::kWidth:
      return bits;
    case Node::Kind::kFitZero:
      return of[0] & mask(bits);
    case Node::Kind::kFitSign:
      return static_cast<uint64_t>(sign_extend(of[0], from)) & mask(bits);
    case Node::Kind::kOperation:
      return evaluate(n.code, bits, from, of[0], of[1], of[2]);
    default:
      return names[n.name];
  }
}

// ---- terms

namespace {

z3::expr bit(const z3::expr& truth) { return z3::ite(truth, truth.ctx().bv_val(1, 1), truth.ctx().bv_val(0, 1)); }

z3::expr widened(const z3::expr& e, unsigned bits, bool with_sign) {
  const unsigned have = e.get_sort().bv_size();
  if (bits < have) return e.extract(bits - 1, 0);
  return bits == have ? e : with_sign ? z3::sext(e, bits - have) : z3::zext(e, bits - have);
}

z3::expr in_groups(const z3::expr& e, unsigned group) {
  z3::expr out = e.extract(group - 1, 0);
  for (unsigned at = group; at < e.get_sort().bv_size(); at += group)
    out = z3::concat(out, e.extract(at + group - 1, at));
  return out;
}

}  // namespace

z3::expr operation(z3::context& z, Code code, unsigned bits, const std::vector<z3::expr>& of) {
  const z3::expr& a = of[0];
  const auto b = [&]() -> const z3::expr& { return of[1]; };
  const auto zero = [&] { return b() == z.bv_val(0, bits); };
  switch (code) {
    case Code::kNot:
      return ~a;
    case Code::kNegate:
      return -a;
    case Code::kZeroExtend:
    case Code::kTruncate:
      return widened(a, bits, false);
    case Code::kSignExtend:
      return widened(a, bits, true);
    case Code::kReverseBytes:
      return in_groups(a, 8);
    case Code::kReverseBits:
      return in_groups(a, 1);
    case Code::kAdd:
      return a + b();
    case Code::kSubtract:
      return a - b();
    case Code::kMultiply:
      return a * b();
    case Code::kDivideUnsigned:
      return z3::ite(zero(), z.bv_val(0, bits), z3::udiv(a, b()));
    case Code::kDivideSigned:
      return z3::ite(zero(), z.bv_val(0, bits), a / b());
    case Code::kRemainderUnsigned:
      return z3::ite(zero(), a, z3::urem(a, b()));
    case Code::kRemainderSigned:
      return z3::ite(zero(), a, z3::srem(a, b()));
    case Code::kAnd:
      return a & b();
    case Code::kOr:
      return a | b();
    case Code::kXor:
      return a ^ b();
    case Code::kShiftLeft:
      return z3::shl(a, b());
    case Code::kShiftRight:
      return z3::lshr(a, b());
    case Code::kShiftRightSigned:
      return z3::ashr(a, b());
    case Code::kRotateRight:
      return z3::expr(z, Z3_mk_ext_rotate_right(z, a, b()));
    case Code::kEqual:
      return bit(a == b());
    case Code::kNotEqual:
      return bit(a != b());
    case Code::kLessUnsigned:
      return bit(z3::ult(a, b()));
    case Code::kLessEqualUnsigned:
      return bit(z3::ule(a, b()));
    case Code::kLessSigned:
      return bit(z3::slt(a, b()));
    case Code::kLessEqualSigned:
      return bit(z3::sle(a, b()));
    default:
      ASSAY_CHECK(code == Code::kSelect);
      return z3::ite(a == z.bv_val(1, 1), of[1], of[2]);
  }
}

z3::expr term_of(const Widths& w, char side, uint8_t node, const std::vector<z3::expr>& names, z3::context& z) {
  const Node& n = w.side(side).nodes[node];
  const unsigned bits = w.of(side, node);
  std::vector<z3::expr> of;
  for (uint8_t i = 0; i < n.count; ++i) of.push_back(term_of(w, side, n.children[i], names, z));
  switch (n.kind) {
    case Node::Kind::kNumber:
      return z.bv_val(n.number, bits);
    case Node::Kind::kWidth:
      return z.bv_val(bits, bits);
    case Node::Kind::kFitZero:
      return widened(of[0], bits, false);
    case Node::Kind::kFitSign:
      return widened(of[0], bits, true);
    case Node::Kind::kOperation:
      return operation(z, n.code, bits, of);
    default:
      return names[n.name];
  }
}

}  // namespace assay::code::ir
