#include "lift/interpreter.h"

#include <bit>

namespace assay::code::ir {

namespace {

using Wide = unsigned __int128;
using SignedWide = __int128;

uint64_t reverse_bits(uint64_t a, unsigned bits) {
  uint64_t out = 0;
  for (unsigned i = 0; i < bits; ++i) out |= (a >> i & 1) << (bits - 1 - i);
  return out;
}

uint64_t reverse_bytes(uint64_t a, unsigned bits) {
  uint64_t out = 0;
  for (unsigned i = 0; i < bits; i += 8) out |= (a >> i & 0xff) << (bits - 8 - i);
  return out;
}

uint64_t unary(Code code, unsigned bits, unsigned from, uint64_t a) {
  switch (code) {
    case Code::kNot:
      return ~a;
    case Code::kNegate:
      return 0 - a;
    case Code::kSignExtend:
      return static_cast<uint64_t>(sign_extend(a, from));
    case Code::kReverseBytes:
      return reverse_bytes(a, bits);
    case Code::kReverseBits:
      return reverse_bits(a, bits);
    case Code::kLeadingZeros:
      return static_cast<unsigned>(std::countl_zero(a)) - (64 - bits);
    case Code::kTrailingZeros:
      return a == 0 ? bits : static_cast<unsigned>(std::countr_zero(a));
    case Code::kCountOnes:
      return static_cast<unsigned>(std::popcount(a));
    default:
      return a;  // zext, trunc: masked by the caller
  }
}

// x / 0 is 0 and x % 0 is x; the least value divided by -1 is itself, rest 0.
uint64_t divide(Code code, unsigned bits, uint64_t a, uint64_t b) {
  const SignedWide sa = sign_extend(a, bits), sb = sign_extend(b, bits);
  switch (code) {
    case Code::kDivideUnsigned:
      return b == 0 ? 0 : a / b;
    case Code::kRemainderUnsigned:
      return b == 0 ? a : a % b;
    case Code::kDivideSigned:
      return b == 0 ? 0 : static_cast<uint64_t>(sa / sb);
    default:
      return b == 0 ? a : static_cast<uint64_t>(sa % sb);
  }
}

uint64_t divide_long(Code code, unsigned bits, uint64_t high, uint64_t low, uint64_t by) {
  if (by == 0) return 0;
  const Wide whole = Wide{high} << bits | low;
  if (code == Code::kDivideLongUnsigned) return static_cast<uint64_t>(whole / by);
  if (code == Code::kRemainderLongUnsigned) return static_cast<uint64_t>(whole % by);
  SignedWide dividend = static_cast<SignedWide>(whole << (128 - 2 * bits)) >> (128 - 2 * bits);
  const SignedWide divisor = sign_extend(by, bits);
  if (divisor == -1) return code == Code::kDivideLongSigned ? static_cast<uint64_t>(-static_cast<Wide>(dividend)) : 0;
  return static_cast<uint64_t>(code == Code::kDivideLongSigned ? dividend / divisor : dividend % divisor);
}

uint64_t shift(Code code, unsigned bits, uint64_t a, uint64_t n) {
  const int64_t s = sign_extend(a, bits);
  switch (code) {
    case Code::kShiftLeft:
      return n >= bits ? 0 : a << n;
    case Code::kShiftRight:
      return n >= bits ? 0 : a >> n;
    case Code::kShiftRightSigned:
      return static_cast<uint64_t>(s >> (n >= bits ? bits - 1 : n));
    default:
      n %= bits;
      return n == 0 ? a : a >> n | a << (bits - n);
  }
}

uint64_t binary(Code code, unsigned bits, unsigned from, uint64_t a, uint64_t b) {
  const int64_t sa = sign_extend(a, from), sb = sign_extend(b, from);
  switch (code) {
    case Code::kAdd:
      return a + b;
    case Code::kSubtract:
      return a - b;
    case Code::kMultiply:
      return a * b;
    case Code::kMultiplyHighUnsigned:
      return static_cast<uint64_t>(Wide{a} * b >> bits);
    case Code::kMultiplyHighSigned:
      return static_cast<uint64_t>(SignedWide{sa} * sb >> bits);
    case Code::kAnd:
      return a & b;
    case Code::kOr:
      return a | b;
    case Code::kXor:
      return a ^ b;
    case Code::kEqual:
      return a == b;
    case Code::kNotEqual:
      return a != b;
    case Code::kLessUnsigned:
      return a < b;
    case Code::kLessEqualUnsigned:
      return a <= b;
    case Code::kLessSigned:
      return sa < sb;
    case Code::kLessEqualSigned:
      return sa <= sb;
    case Code::kDivideUnsigned:
    case Code::kDivideSigned:
    case Code::kRemainderUnsigned:
    case Code::kRemainderSigned:
      return divide(code, bits, a, b);
    default:
      return shift(code, bits, a, b);
  }
}

class Run {
 public:
  Run(const Function& f, const Block& block, State& state) : f_(f), block_(block), state_(state), cells_(block.count) {}

  Outcome all() {
    for (Value at = block_.first; at < block_.first + block_.count; ++at) {
      Outcome outcome;
      if (step(f_.ops[at], at, outcome)) continue;
      outcome.unaligned = unaligned_;
      return outcome;
    }
    return {.next = block_.next, .unaligned = unaligned_};
  }

 private:
  Cell cell(Value v) const { return cells_[v - block_.first]; }

  // Whether execution goes on; if not, `outcome` says why.
  bool step(const Op& op, Value at, Outcome& outcome) {
    if (op.code == Code::kNone) return true;
    if (shape(op.code).pure) {
      cells_[at - block_.first] = pure(op);
      return true;
    }
    if (op.code == Code::kPut) {
      state_.registers[op.a] = cell(op.b);
      return true;
    }
    if (op.c != 0) {
      if (!cell(op.c).defined) return stop(outcome, Outcome::Kind::kUndefined);
      if (cell(op.c).value == 0) return true;
    }
    return effect(op, at, outcome);
  }

  bool effect(const Op& op, Value at, Outcome& outcome) {
    switch (op.code) {
      case Code::kLoad:
      case Code::kStore:
        return memory(op, at, outcome);
      case Code::kTrap:
        outcome.trap = op.trap;
        return stop(outcome, Outcome::Kind::kTrap);
      case Code::kOpaque:
        return stop(outcome, Outcome::Kind::kOpaque);
      default:
        break;
    }
    if (!cell(op.a).defined) return stop(outcome, Outcome::Kind::kUndefined);
    outcome.next = cell(op.a).value;
    return stop(outcome, op.code == Code::kJump   ? Outcome::Kind::kJump
                         : op.code == Code::kCall ? Outcome::Kind::kCall
                                                  : Outcome::Kind::kReturn);
  }

  bool memory(const Op& op, Value at, Outcome& outcome) {
    const Cell address = cell(op.a);
    if (!address.defined) return stop(outcome, Outcome::Kind::kUndefined);
    const unsigned count = op.bits / 8;
    unaligned_ |= address.value % count != 0;
    Area& area = *state_.area;
    outcome.next = address.value;
    if (op.code == Code::kLoad && state_.code != nullptr && state_.code->holds(address.value, count)) {
      cells_[at - block_.first] = {
          read(state_.code->bytes.data() + (address.value - state_.code->base), count, op.order), true};
      return true;
    }
    if (!area.holds(address.value, count)) return stop(outcome, Outcome::Kind::kFault);
    uint8_t* p = area.bytes.data() + (address.value - area.base);
    if (op.code == Code::kLoad) {
      cells_[at - block_.first] = {read(p, count, op.order), true};
      return true;
    }
    if (!cell(op.b).defined) return stop(outcome, Outcome::Kind::kUndefined);
    area.note(address.value - area.base, count);
    write(p, count, op.order, cell(op.b).value);
    return true;
  }

  static uint64_t read(const uint8_t* p, unsigned count, Order order) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value |= uint64_t{p[i]} << 8 * (order == Order::kLittle ? i : count - 1 - i);
    return value;
  }
  static void write(uint8_t* p, unsigned count, Order order, uint64_t value) {
    for (unsigned i = 0; i < count; ++i)
      p[i] = static_cast<uint8_t>(value >> 8 * (order == Order::kLittle ? i : count - 1 - i));
  }

  Cell pure(const Op& op) const {
    switch (op.code) {
      case Code::kConst:
        return {constant(op), true};
      case Code::kUndefined:
        return {0, false};
      case Code::kGet:
        return state_.registers[op.a];
      case Code::kSelect:
        return cell(op.a).defined ? cell(cell(op.a).value ? op.b : op.c) : Cell{0, false};
      default:
        break;
    }
    const uint8_t values = shape(op.code).values;
    const Cell a = cell(op.a), b = values > 1 ? cell(op.b) : Cell{}, c = values > 2 ? cell(op.c) : Cell{};
    // One operand may decide alone: x & 0 and x | 1 are known though x is not.
    if (op.code == Code::kAnd && ((a.defined && a.value == 0) || (b.defined && b.value == 0))) return {0, true};
    if (op.code == Code::kOr && op.bits == 1 && ((a.defined && a.value == 1) || (b.defined && b.value == 1)))
      return {1, true};
    return {evaluate(op.code, op.bits, f_.ops[op.a].bits, a.value, b.value, c.value),
            a.defined && b.defined && c.defined};
  }

  static bool stop(Outcome& outcome, Outcome::Kind kind) {
    outcome.kind = kind;
    return false;
  }

  const Function& f_;
  const Block& block_;
  State& state_;
  std::vector<Cell> cells_;
  bool unaligned_ = false;
};

}  // namespace

void Area::note(size_t at, unsigned count) {
  Write write{.at = at, .count = count};
  for (unsigned i = 0; i < count; ++i) write.old |= uint64_t{bytes[at + i]} << 8 * i;
  writes.push_back(write);
}

void Area::undo() {
  for (; !writes.empty(); writes.pop_back())
    for (unsigned i = 0; i < writes.back().count; ++i)
      bytes[writes.back().at + i] = static_cast<uint8_t>(writes.back().old >> 8 * i);
}

uint64_t evaluate(Code code, unsigned bits, unsigned source_bits, uint64_t a, uint64_t b, uint64_t c) {
  switch (shape(code).values) {
    case 1:
      return unary(code, bits, source_bits, a) & mask(bits);
    case 2:
      return binary(code, bits, source_bits, a, b) & mask(bits);
    default:
      return code == Code::kSelect ? (a ? b : c) : divide_long(code, bits, a, b, c) & mask(bits);
  }
}

Outcome run(const Function& function, const Block& block, State& state) { return Run(function, block, state).all(); }

}  // namespace assay::code::ir
