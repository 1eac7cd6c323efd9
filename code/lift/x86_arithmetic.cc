// Sums, differences, logic, products and quotients of x86, with all they do to
// the flags.
#include "code/lift/nzcv.h"
#include "code/lift/x86.h"

namespace assay::code::lift::x86 {

namespace {

// ---- two operands

enum class Op : uint8_t { kAdd, kOr, kAdc, kSbb, kAnd, kSub, kXor, kCmp, kTest };
enum class Form : uint8_t { kRegReg, kRegMem, kMemReg, kRegImm, kMemImm, kAccumulator };
constexpr bool writes(Op op) { return op != Op::kCmp && op != Op::kTest; }

struct Two {
  Place to;
  Value a = 0, b = 0;
};
Value immediate(Machine& m, size_t i, unsigned bits) { return m.constant(bits, static_cast<uint64_t>(m.imm(i))); }

// Where the first operand is written the decoder lists it twice.
Two operands(Machine& m, Op op, Form form, unsigned bits) {
  const size_t second = writes(op) ? 2 : 1;
  Two out;
  switch (form) {
    case Form::kMemReg:
    case Form::kMemImm:
      out.to = memory_at(m, 0, bits);
      out.b = form == Form::kMemReg ? m.r(5) : immediate(m, 5, bits);
      out.a = get(m, out.to);
      return out;
    case Form::kAccumulator:
      out.a = m.read(general(kA, bits));
      out.b = immediate(m, 0, bits);
      return out;
    default:
      break;
  }
  out.to = register_at(m, 0);
  out.a = get(m, out.to);
  if (form == Form::kRegReg) out.b = m.r(second);
  if (form == Form::kRegImm) out.b = immediate(m, second, bits);
  if (form == Form::kRegMem) out.b = get(m, memory_at(m, second, bits));
  return out;
}

// The carry out of bit 3.
Value adjust(Machine& m, Value a, Value b, Value v) {
  const Value differ = m.bit_xor(a, b);
  return m.extract(m.bit_xor(differ, v), 4, 1);
}

struct Result {
  Value value = 0;
  Flags flags;
};
Result add(Machine& m, Value a, Value b, bool with_carry) {
  Value v = m.add(a, b), carry = m.wants(kCarry) ? m.less_unsigned(v, a) : 0;
  if (with_carry) {
    const Value part = v;
    v = m.add(part, m.zero_extend(m.get(kCarry), m.bits(a)));
    if (carry != 0) carry = m.bit_or(carry, m.less_unsigned(v, part));
  }
  Result out{.value = v, .flags = flags_of(m, v)};
  out.flags.carry = carry;
  if (m.wants(kAdjust)) out.flags.adjust = adjust(m, a, b, v);
  if (m.wants(kOverflow)) out.flags.overflow = sum_overflow(m, a, b, v);
  return out;
}
Result subtract(Machine& m, Value a, Value b, bool with_borrow) {
  Value v = m.sub(a, b), borrow = m.wants(kCarry) ? m.less_unsigned(a, b) : 0;
  if (with_borrow) {
    const Value part = v, in = m.zero_extend(m.get(kCarry), m.bits(a));
    v = m.sub(part, in);
    if (borrow != 0) borrow = m.bit_or(borrow, m.less_unsigned(part, in));
  }
  Result out{.value = v, .flags = flags_of(m, v)};
  out.flags.carry = borrow;
  if (m.wants(kAdjust)) out.flags.adjust = adjust(m, a, b, v);
  if (m.wants(kOverflow)) out.flags.overflow = difference_overflow(m, a, b, v);
  return out;
}
// "The OF and CF flags are cleared; the SF, ZF, and PF flags are set according
// to the result. The state of the AF flag is undefined."
Result logic(Machine& m, Value v) {
  Result out{.value = v, .flags = flags_of(m, v)};
  if (m.wants(kCarry)) out.flags.carry = m.constant(1, 0);
  if (m.wants(kOverflow)) out.flags.overflow = m.constant(1, 0);
  if (m.wants(kAdjust)) out.flags.adjust = m.undefined(1);
  return out;
}
Result result(Machine& m, Op op, Value a, Value b) {
  switch (op) {
    case Op::kAdd:
    case Op::kAdc:
      return add(m, a, b, op == Op::kAdc);
    case Op::kSub:
    case Op::kCmp:
    case Op::kSbb:
      return subtract(m, a, b, op == Op::kSbb);
    case Op::kOr:
      return logic(m, m.bit_or(a, b));
    case Op::kXor:
      return logic(m, m.bit_xor(a, b));
    default:
      return logic(m, m.bit_and(a, b));
  }
}

}  // namespace

void compare(Machine& m, Value a, Value b) { put_flags(m, subtract(m, a, b, false).flags); }

namespace {

void two(Machine& m, Op op, Form form, unsigned bits) {
  const Two o = operands(m, op, form, bits);
  // xor of a register with itself: 0, whatever it held.
  const bool zero = op == Op::kXor && form == Form::kRegReg && m.insn().reg(1) == m.insn().reg(2);
  const Result r = zero ? logic(m, m.like(o.a, 0)) : result(m, op, o.a, o.b);
  if (form == Form::kAccumulator && writes(op)) m.write(general(kA, bits), r.value);
  if (form != Form::kAccumulator && writes(op)) set(m, o.to, r.value);
  put_flags(m, r.flags);
}
template <Op kOp, Form kForm, unsigned kBits>
void two_of(Machine& m) {
  two(m, kOp, kForm, kBits);
}

template <Op kOp, unsigned kBits>
void bind_two(Isa& isa, const char* op) {
  const std::string name = sized<kBits>(op), wide = kBits == 64 ? "32" : "";
  isa.bind(name + "rr", two_of<kOp, Form::kRegReg, kBits>);
  isa.bind(name + "mr", two_of<kOp, Form::kMemReg, kBits>);
  isa.bind(name + "ri" + wide, two_of<kOp, Form::kRegImm, kBits>);
  isa.bind(name + "mi" + wide, two_of<kOp, Form::kMemImm, kBits>);
  isa.bind(name + "i" + std::to_string(std::min(kBits, 32U)), two_of<kOp, Form::kAccumulator, kBits>);
  if (kOp == Op::kTest) return;
  isa.bind(name + "rm", two_of<kOp, Form::kRegMem, kBits>);
  isa.bind(name + "rr_REV", two_of<kOp, Form::kRegReg, kBits>);
  isa.bind(name + "ri8", two_of<kOp, Form::kRegImm, kBits>);
  isa.bind(name + "mi8", two_of<kOp, Form::kMemImm, kBits>);
}
template <Op kOp>
void bind_two_sizes(Isa& isa, const char* op) {
  bind_two<kOp, 8>(isa, op);
  bind_two<kOp, 16>(isa, op);
  bind_two<kOp, 32>(isa, op);
  bind_two<kOp, 64>(isa, op);
}

// ---- one operand

enum class One : uint8_t { kIncrement, kDecrement, kNegate, kNot };
void one(Machine& m, One op, bool memory, unsigned bits) {
  const Place place = first_place(m, memory, bits);
  const Value a = get(m, place);
  if (op == One::kNot) return set(m, place, m.bit_not(a));
  Result r;
  if (op == One::kNegate) {
    const Value zero = m.like(a, 0);
    r = subtract(m, zero, a, false);
  } else {
    const Value by = m.like(a, 1);
    r = op == One::kIncrement ? add(m, a, by, false) : subtract(m, a, by, false);
    r.flags.carry = 0;  // "The CF flag is not affected."
  }
  set(m, place, r.value);
  put_flags(m, r.flags);
}
template <One kOp, bool kMemory, unsigned kBits>
void one_of(Machine& m) {
  one(m, kOp, kMemory, kBits);
}

// ---- products

Flags product_flags(Machine& m, Value overflow) {
  const Value unknown = m.undefined(1);
  return {
      .carry = overflow, .parity = unknown, .adjust = unknown, .zero = unknown, .sign = unknown, .overflow = overflow};
}
// Both halves go to ax, or dx and ax: where "the upper half of the result" is
// more than the sign, carry and overflow.
void write_halves(Machine& m, unsigned bits, Value low, Value high) {
  if (bits == 8) {
    const Value top = m.shl_by(m.zero_extend(high, 16), 8);
    return m.write(general(kA, 16), m.bit_or(m.zero_extend(low, 16), top));
  }
  m.write(general(kA, bits), low);
  m.write(general(kD, bits), high);
}
template <bool kSigned, bool kMemory, unsigned kBits>
void multiply_accumulator(Machine& m) {
  const Value b = get(m, first_place(m, kMemory, kBits)), a = m.read(general(kA, kBits));
  const Value low = m.mul(a, b);
  const Value high = m.binary(kSigned ? Code::kMultiplyHighSigned : Code::kMultiplyHighUnsigned, a, b);
  const Value overflow = m.not_equal(high, kSigned ? m.sar_by(low, kBits - 1) : m.like(low, 0));
  write_halves(m, kBits, low, high);
  put_flags(m, product_flags(m, overflow));
}
void multiply(Machine& m, Value a, Value b) {
  const Value low = m.mul(a, b), high = m.binary(Code::kMultiplyHighSigned, a, b);
  const Value overflow = m.not_equal(high, m.sar_by(low, m.bits(a) - 1U));
  m.w(0, low);
  put_flags(m, product_flags(m, overflow));
}
// dst, dst, source.
template <bool kMemory, unsigned kBits>
void multiply_two(Machine& m) {
  const Value a = m.r(1), b = kMemory ? get(m, memory_at(m, 2, kBits)) : m.r(2);
  multiply(m, a, b);
}
// dst, source, immediate.
template <bool kMemory, unsigned kBits>
void multiply_immediate(Machine& m) {
  const Value a = kMemory ? get(m, memory_at(m, 1, kBits)) : m.r(1);
  multiply(m, a, immediate(m, kMemory ? 6 : 2, kBits));
}

// ---- quotients: "#DE if the source operand is 0, if the quotient is too
// large"; all flags are undefined

struct Division {
  Value high = 0, low = 0, by = 0, quotient = 0, remainder = 0;
};
// The quotient fits if it times the divisor, plus the remainder, is the
// dividend again; the low half always is.
Value signed_too_large(Machine& m, const Division& d) {
  const unsigned top = m.bits(d.low) - 1U;
  const Value product = m.mul(d.quotient, d.by), over = m.binary(Code::kMultiplyHighSigned, d.quotient, d.by);
  const Value sum = m.add(product, d.remainder);
  const Value carry = m.zero_extend(m.less_unsigned(sum, product), m.bits(d.low));
  const Value high = m.add(m.add(over, m.sar_by(d.remainder, top)), carry);
  return m.not_equal(high, d.high);
}
void put_undefined_flags(Machine& m) {
  const Value unknown = m.undefined(1);
  put_flags(m, {unknown, unknown, unknown, unknown, unknown, unknown});
}
template <bool kSigned, bool kMemory, unsigned kBits>
void divide(Machine& m) {
  Division d{.by = get(m, first_place(m, kMemory, kBits))};
  d.low = m.read(general(kA, kBits));
  d.high = kBits == 8 ? m.extract(m.read(general(kA, 16)), 8, 8) : m.read(general(kD, kBits));
  d.quotient = m.ternary(kSigned ? Code::kDivideLongSigned : Code::kDivideLongUnsigned, d.high, d.low, d.by);
  d.remainder = m.ternary(kSigned ? Code::kRemainderLongSigned : Code::kRemainderLongUnsigned, d.high, d.low, d.by);
  m.trap(Trap::kDivide, m.equals(d.by, 0));
  m.trap(Trap::kDivide, kSigned ? signed_too_large(m, d) : m.compare(Code::kLessEqualUnsigned, d.by, d.high));
  write_halves(m, kBits, d.quotient, d.remainder);
  put_undefined_flags(m);
}

template <unsigned kBits>
void bind_sized(Isa& isa) {
  const auto both = [&](const char* name, Lift in_register, Lift in_memory) {
    isa.bind(sized<kBits>(name) + "r", in_register);
    isa.bind(sized<kBits>(name) + "m", in_memory);
  };
  both("INC", one_of<One::kIncrement, false, kBits>, one_of<One::kIncrement, true, kBits>);
  both("DEC", one_of<One::kDecrement, false, kBits>, one_of<One::kDecrement, true, kBits>);
  both("NEG", one_of<One::kNegate, false, kBits>, one_of<One::kNegate, true, kBits>);
  both("NOT", one_of<One::kNot, false, kBits>, one_of<One::kNot, true, kBits>);
  both("MUL", multiply_accumulator<false, false, kBits>, multiply_accumulator<false, true, kBits>);
  both("IMUL", multiply_accumulator<true, false, kBits>, multiply_accumulator<true, true, kBits>);
  both("DIV", divide<false, false, kBits>, divide<false, true, kBits>);
  both("IDIV", divide<true, false, kBits>, divide<true, true, kBits>);
  if constexpr (kBits > 8) {
    const std::string name = sized<kBits>("IMUL"), wide = kBits == 64 ? "32" : "";
    isa.bind(name + "rr", multiply_two<false, kBits>);
    isa.bind(name + "rm", multiply_two<true, kBits>);
    isa.bind(name + "rri8", multiply_immediate<false, kBits>);
    isa.bind(name + "rmi8", multiply_immediate<true, kBits>);
    isa.bind(name + "rri" + wide, multiply_immediate<false, kBits>);
    isa.bind(name + "rmi" + wide, multiply_immediate<true, kBits>);
  }
}

// ---- compare and exchange

// xadd: the sum goes to the first place, what stood there to the register.
void exchange_add(Machine& m, bool memory, unsigned bits) {
  const Place place = memory ? memory_at(m, 2, bits) : register_at(m, 0);
  const size_t other = memory ? 0 : 1;
  const Value old = get(m, place), by = m.r(other);
  const Result sum = add(m, old, by, false);
  if (memory) set(m, place, sum.value);
  m.w(other, old);
  if (!memory) set(m, place, sum.value);
  put_flags(m, sum.flags);
}
// "Compares the value in the accumulator with the first operand. If the two
// values are equal, the second operand is loaded into the first. Otherwise the
// first is loaded into the accumulator." The first is written in either case.
void compare_exchange(Machine& m, bool memory, unsigned bits) {
  const Place place = first_place(m, memory, bits);
  const Slot accumulator = general(kA, bits);
  const Value old = get(m, place), by = m.r(memory ? 5 : 1), expected = m.read(accumulator);
  const Result r = subtract(m, expected, old, false);
  const Value same = m.equal(expected, old);
  set(m, place, m.select(same, by, old));
  m.set_guard(m.bit_not(same));
  m.write(accumulator, old);
  m.set_guard(0);
  put_flags(m, r.flags);
}
template <bool kMemory, unsigned kBits>
void exchange_add_of(Machine& m) {
  exchange_add(m, kMemory, kBits);
}
template <bool kMemory, unsigned kBits>
void compare_exchange_of(Machine& m) {
  compare_exchange(m, kMemory, kBits);
}
// Two words at once: edx:eax against memory, ecx:ebx into it. "The CF, PF, AF,
// SF, and OF flags are unaffected."
template <unsigned kBits>
void compare_exchange_pair(Machine& m) {
  const Value address = address_of(m, 0), second = m.add_number(address, kBits / 8);
  const Value low = m.load(kBits, m.order(), address), high = m.load(kBits, m.order(), second);
  const Value low_same = m.equal(low, m.read(general(kA, kBits)));
  const Value high_same = m.equal(high, m.read(general(kD, kBits)));
  const Value same = m.bit_and(low_same, high_same);
  m.store(m.order(), address, m.select(same, m.read(general(kB, kBits)), low));
  m.store(m.order(), second, m.select(same, m.read(general(kC, kBits)), high));
  m.set_guard(m.bit_not(same));
  m.write(general(kA, kBits), low);
  m.write(general(kD, kBits), high);
  m.set_guard(0);
  m.put(kZero, same);
}

template <unsigned kBits>
void bind_exchanges(Isa& isa) {
  isa.bind(sized<kBits>("XADD") + "rr", exchange_add_of<false, kBits>);
  isa.bind(sized<kBits>("XADD") + "rm", exchange_add_of<true, kBits>);
  isa.bind(sized<kBits>("CMPXCHG") + "rr", compare_exchange_of<false, kBits>);
  isa.bind(sized<kBits>("CMPXCHG") + "rm", compare_exchange_of<true, kBits>);
}

constexpr Handler kArithmeticHandlers[] = {
    {"INC16r_alt", one_of<One::kIncrement, false, 16>}, {"INC32r_alt", one_of<One::kIncrement, false, 32>},
    {"DEC16r_alt", one_of<One::kDecrement, false, 16>}, {"DEC32r_alt", one_of<One::kDecrement, false, 32>},
    {"CMPXCHG8B", compare_exchange_pair<32>},           {"CMPXCHG16B", compare_exchange_pair<64>},
};

}  // namespace

void bind_arithmetic(Isa& isa) {
  isa.bind(kArithmeticHandlers);
  bind_two_sizes<Op::kAdd>(isa, "ADD");
  bind_two_sizes<Op::kOr>(isa, "OR");
  bind_two_sizes<Op::kAdc>(isa, "ADC");
  bind_two_sizes<Op::kSbb>(isa, "SBB");
  bind_two_sizes<Op::kAnd>(isa, "AND");
  bind_two_sizes<Op::kSub>(isa, "SUB");
  bind_two_sizes<Op::kXor>(isa, "XOR");
  bind_two_sizes<Op::kCmp>(isa, "CMP");
  bind_two_sizes<Op::kTest>(isa, "TEST");
  bind_sized<8>(isa);
  bind_sized<16>(isa);
  bind_sized<32>(isa);
  bind_sized<64>(isa);
  bind_exchanges<8>(isa);
  bind_exchanges<16>(isa);
  bind_exchanges<32>(isa);
  bind_exchanges<64>(isa);
}

}  // namespace assay::code::lift::x86
