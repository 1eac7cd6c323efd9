// Data processing, multiplication and bit operations of ARM and Thumb.
// Source: ARM DDI 0406C (ARM Architecture Reference Manual, ARMv7-A), chapters A5, A6 and A8. Operand order: that of
// LLVM's ARM target.
#include "code/lift/arm.h"

#include <string>

namespace assay::code::lift::arm {

Shifted shift_by(Machine& m, Value v, Shift shift, unsigned amount, bool carry) {
  const auto bit = [&](unsigned at) { return carry ? m.extract(v, at, 1) : 0; };
  const unsigned right = amount == 0 ? 32 : amount;
  switch (shift) {
    case Shift::kLeft:
      if (amount == 0) return {.value = v};
      return {.value = m.shl_by(v, amount), .carry = bit(32 - amount)};
    case Shift::kRight:
      return {.value = m.shr_by(v, right), .carry = bit(right - 1)};
    case Shift::kArithmetic:
      return {.value = m.sar_by(v, right), .carry = bit(right - 1)};
    case Shift::kRotate:
      return {.value = m.ror_by(v, amount), .carry = bit((amount + 31) % 32)};
    case Shift::kRotateCarry: {
      const Value in = m.shl_by(m.zero_extend(m.get(kFlags.c), 32), 31);
      return {.value = m.bit_or(in, m.shr_by(v, 1)), .carry = bit(0)};
    }
    default:
      return {.value = v};
  }
}

namespace {

// The last bit shifted out, by arithmetic in 64 bits; right for amounts from 1 to 255.
Value last_out(Machine& m, Value v, Shift shift, Value amount, Value result) {
  const Value by = m.zero_extend(amount, 64);
  if (shift == Shift::kRotate) return m.sign_bit(result);
  if (shift == Shift::kLeft) return m.extract(m.shl(m.zero_extend(v, 64), by), 32, 1);
  if (shift == Shift::kRight) return m.truncate(m.shr(m.shl_by(m.zero_extend(v, 64), 1), by), 1);
  return m.truncate(m.sar(m.shl_by(m.sign_extend(v, 64), 1), by), 1);
}

}  // namespace

Shifted shift_by_register(Machine& m, Value v, Shift shift, Value amount, bool carry) {
  constexpr Code kCodes[] = {Code::kShiftLeft, Code::kShiftRightSigned, Code::kShiftLeft, Code::kShiftRight,
                             Code::kRotateRight};
  const Value low = m.and_mask(amount, 0xff);
  Shifted out{.value = m.binary(kCodes[static_cast<size_t>(shift)], v, low)};
  if (!carry) return out;
  const Value none = m.equals(low, 0), last = last_out(m, v, shift, low, out.value);
  out.carry = m.select(none, m.get(kFlags.c), last);
  return out;
}

namespace {

// ---- the second operand

using Second = Shifted (*)(Machine&, size_t operand, bool carry);

// ARM: eight bits rotated right by twice the upper four.
Shifted rotated_immediate(Machine& m, size_t operand, bool carry) {
  const auto raw = static_cast<uint32_t>(m.imm(operand));
  const unsigned by = raw >> 8 << 1 & 31;
  const uint64_t v = by == 0 ? raw & 0xff : ((raw & 0xff) >> by | (raw & 0xff) << (32 - by)) & 0xffffffff;
  return {.value = m.constant(32, v), .carry = by != 0 && carry ? m.constant(1, v >> 31) : 0};
}
// Thumb: given as the number. Rotated, which decides about the carry, is what has more than eight bits and repeats
// none.
Shifted expanded_immediate(Machine& m, size_t operand, bool carry) {
  const uint64_t v = static_cast<uint64_t>(m.imm(operand)) & 0xffffffff, low = v & 0xff, next = v >> 8 & 0xff;
  const bool repeated = v == (low | low << 16) || v == (next << 8 | next << 24) || v == low * 0x01010101;
  return {.value = m.constant(32, v), .carry = carry && v > 0xff && !repeated ? m.constant(1, v >> 31) : 0};
}
template <unsigned kScale = 1>
Shifted number(Machine& m, size_t operand, bool) {
  return {.value = m.constant(32, static_cast<uint64_t>(m.imm(operand)) * kScale)};
}
Shifted plain(Machine& m, size_t operand, bool) { return {.value = m.r(operand)}; }
Shifted shifted(Machine& m, size_t operand, bool carry) {
  const auto shift = static_cast<unsigned>(m.imm(operand + 1));
  return shift_by(m, m.r(operand), static_cast<Shift>(shift & 7), shift >> 3, carry);
}
Shifted shifted_by_register(Machine& m, size_t operand, bool carry) {
  const auto shift = static_cast<Shift>(m.imm(operand + 2) & 7);
  const Value v = m.r(operand), amount = m.r(operand + 1);
  return shift_by_register(m, v, shift, amount, carry);
}
// Shift instructions of Thumb as moves with a second operand.
template <Shift kShift>
Shifted shifted_immediate(Machine& m, size_t operand, bool carry) {
  return shift_by(m, m.r(operand), kShift, static_cast<unsigned>(m.imm(operand + 1)), carry);
}
template <Shift kShift>
Shifted shifted_register(Machine& m, size_t operand, bool carry) {
  const Value v = m.r(operand), amount = m.r(operand + 1);
  return shift_by_register(m, v, kShift, amount, carry);
}
Shifted zero(Machine& m, size_t, bool) { return {.value = m.constant(32, 0)}; }

// ---- the operations

enum class Op : uint8_t { kAnd, kXor, kSub, kRsb, kAdd, kAdc, kSbc, kRsc, kOr, kMove, kBic, kNot, kOrn };
bool logical(Op op) { return op <= Op::kXor || op >= Op::kOr; }

Sum arithmetic(Machine& m, Op op, Value a, Value b, bool flags) {
  switch (op) {
    case Op::kAdd:
      return add(m, kFlags, a, b);
    case Op::kSub:
      return subtract(m, kFlags, a, b);
    case Op::kRsb:
      return subtract(m, kFlags, b, a);
    case Op::kAdc:
      return add_with_carry(m, kFlags, a, b, m.get(kFlags.c), flags);
    case Op::kSbc: {
      const Value other = m.bit_not(b);
      return add_with_carry(m, kFlags, a, other, m.get(kFlags.c), flags);
    }
    default: {  // rsc
      const Value other = m.bit_not(a);
      return add_with_carry(m, kFlags, b, other, m.get(kFlags.c), flags);
    }
  }
}
Value logic(Machine& m, Op op, Value a, Value b) {
  switch (op) {
    case Op::kAnd:
      return m.bit_and(a, b);
    case Op::kXor:
      return m.bit_xor(a, b);
    case Op::kOr:
      return m.bit_or(a, b);
    case Op::kBic:
      return m.bit_and(a, m.bit_not(b));
    case Op::kOrn:
      return m.bit_or(a, m.bit_not(b));
    case Op::kNot:
      return m.bit_not(b);
    default:
      return b;
  }
}
Value without_flags(Machine& m, Op op, Value a, Value b) {
  if (op == Op::kAdd) return m.add(a, b);
  if (op == Op::kSub) return m.sub(a, b);
  if (op == Op::kRsb) return m.sub(b, a);
  return arithmetic(m, op, a, b, false).value;
}

// Where an instruction says whether it sets the flags: as its last operand, as its second (Thumb's short forms), never,
// always.
enum class Sets : uint8_t { kLast, kSecond, kNever, kAlways };
template <Sets kSets>
bool sets_flags(const Machine& m) {
  if (kSets == Sets::kLast) return m.is_reg(m.insn().operand_count - 1U) && m.insn().reg(m.insn().operand_count - 1U);
  if (kSets == Sets::kSecond) return m.insn().reg(1) != 0;
  return kSets == Sets::kAlways;
}

// What of op(a, second) goes into the flags is put there. kOperand: where the second operand is.
template <Op kOp>
Value operate(Machine& m, Value a, Second second, size_t operand, bool flags) {
  const Shifted b = second(m, operand, flags && logical(kOp) && m.wants(kFlags.c));
  if (!logical(kOp)) {
    if (!flags) return without_flags(m, kOp, a, b.value);
    const Sum s = arithmetic(m, kOp, a, b.value, true);
    put_flags(m, kFlags, s.flags);
    return s.value;
  }
  const Value v = logic(m, kOp, a, b.value);
  if (flags) {
    put_sign_and_zero(m, kFlags, v);
    if (b.carry != 0) m.put(kFlags.c, b.carry);
  }
  return v;
}

// rd, rn, second. That it writes the program counter and the flags at once is refused in arm.cc.
template <Op kOp, Second kSecond, Sets kSets = Sets::kLast, size_t kFirst = 1>
void three(Machine& m) {
  const bool flags = sets_flags<kSets>(m);
  const Value a = m.r(kFirst);
  const Value v = operate<kOp>(m, a, kSecond, kFirst + 1, flags);
  write(m, 0, v, !is_thumb(m));
}
// rd, second.
template <Op kOp, Second kSecond, Sets kSets = Sets::kLast, size_t kFirst = 1>
void two(Machine& m) {
  const bool flags = sets_flags<kSets>(m);
  const Value v = operate<kOp>(m, 0, kSecond, kFirst, flags);
  write(m, 0, v, !is_thumb(m));
}
// rn, second: only the flags.
template <Op kOp, Second kSecond>
void compare(Machine& m) {
  const Value a = m.r(0);
  operate<kOp>(m, a, kSecond, 1, true);
}

void move_top(Machine& m) {
  const Value low = m.and_mask(m.r(1), 0xffff);
  m.w(0, m.or_mask(low, static_cast<uint64_t>(m.imm(2)) << 16));
}
template <unsigned kScale>
void address_of(Machine& m) {
  m.w(0, m.constant(32, aligned_pc(m) + static_cast<uint64_t>(signed_imm(m, 1) * int64_t{kScale})));
}

// ---- multiplication

void put_product_flags(Machine& m, Value v) { put_sign_and_zero(m, kFlags, v); }

template <Sets kSets, size_t kFirst = 1>
void multiply(Machine& m) {
  const Value a = m.r(kFirst), b = m.r(kFirst + 1), v = m.mul(a, b);
  if (sets_flags<kSets>(m)) put_product_flags(m, v);
  m.w(0, v);
}
template <bool kSubtract, Sets kSets>
void multiply_add(Machine& m) {
  const Value a = m.r(1), b = m.r(2), product = m.mul(a, b), to = m.r(3);
  const Value v = kSubtract ? m.sub(to, product) : m.add(to, product);
  if (sets_flags<kSets>(m)) put_product_flags(m, v);
  m.w(0, v);
}
void write_pair(Machine& m, Value v) {
  m.w(0, m.truncate(v, 32));
  m.w(1, m.extract(v, 32, 32));
}
template <bool kSigned>
Value product_of(Machine& m) {
  const Value low_a = m.r(2), low_b = m.r(3);
  const Value a = kSigned ? m.sign_extend(low_a, 64) : m.zero_extend(low_a, 64);
  const Value b = kSigned ? m.sign_extend(low_b, 64) : m.zero_extend(low_b, 64);
  return m.mul(a, b);
}
Value pair_of(Machine& m, size_t low_operand, size_t high_operand) {
  const Value low = m.zero_extend(m.r(low_operand), 64), high = m.zero_extend(m.r(high_operand), 64);
  return m.bit_or(low, m.shl_by(high, 32));
}
template <bool kSigned, bool kAdd, Sets kSets>
void multiply_long(Machine& m) {
  Value v = product_of<kSigned>(m);
  if (kAdd) v = m.add(v, pair_of(m, 4, 5));
  if (sets_flags<kSets>(m)) put_product_flags(m, v);
  write_pair(m, v);
}
void multiply_add_add(Machine& m) {  // umaal: the product plus both words
  const Value product = product_of<false>(m);
  const Value low = m.zero_extend(m.r(4), 64), high = m.zero_extend(m.r(5), 64);
  write_pair(m, m.add(m.add(product, low), high));
}
template <unsigned kFirstHalf, unsigned kSecondHalf>
void multiply_halves(Machine& m) {
  const Value a = m.sign_extend(m.extract(m.r(1), kFirstHalf, 16), 32);
  const Value b = m.sign_extend(m.extract(m.r(2), kSecondHalf, 16), 32);
  m.w(0, m.mul(a, b));
}
template <Code kCode>
void divide(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, m.binary(kCode, a, b));
}

// ---- bits and bytes

template <Code kCode>
void one_register(Machine& m) {
  m.w(0, m.unary(kCode, m.r(1)));
}
Value swapped_in_halves(Machine& m, Value v) {
  const Value up = m.and_mask(m.shl_by(v, 8), 0xff00ff00), down = m.and_mask(m.shr_by(v, 8), 0x00ff00ff);
  return m.bit_or(up, down);
}
void reverse_in_halves(Machine& m) { m.w(0, swapped_in_halves(m, m.r(1))); }
void reverse_signed_half(Machine& m) { m.w(0, m.sign_extend(m.truncate(swapped_in_halves(m, m.r(1)), 16), 32)); }
template <bool kSigned>
void extract_field(Machine& m) {
  const auto low = static_cast<unsigned>(m.imm(2)), width = static_cast<unsigned>(m.imm(3)) + 1;
  if (low + width > 32) return m.opaque_instruction();
  const Value part = m.extract(m.r(1), low, width);
  m.w(0, kSigned ? m.sign_extend(part, 32) : m.zero_extend(part, 32));
}
// rd, rd, rn, the bits that stay.
void insert_field(Machine& m) {
  const auto kept = static_cast<uint32_t>(m.imm(3));
  const Value old = m.and_mask(m.r(1), kept);
  const Value moved = m.shl_by(m.r(2), kept == ~0U ? 0 : static_cast<unsigned>(std::countr_zero(~kept)));
  m.w(0, m.bit_or(old, m.and_mask(moved, static_cast<uint32_t>(~kept))));
}
void clear_field(Machine& m) { m.w(0, m.and_mask(m.r(1), static_cast<uint32_t>(m.imm(2)))); }

template <unsigned kBits, bool kSigned>
Value extended(Machine& m, size_t operand, int64_t rotation) {
  const Value part = m.truncate(m.ror_by(m.r(operand), static_cast<unsigned>(rotation) * 8), kBits);
  return kSigned ? m.sign_extend(part, 32) : m.zero_extend(part, 32);
}
template <unsigned kBits, bool kSigned>
void extend(Machine& m) {
  m.w(0, extended<kBits, kSigned>(m, 1, m.imm(2)));
}
template <unsigned kBits, bool kSigned>
void extend_short(Machine& m) {
  m.w(0, extended<kBits, kSigned>(m, 1, 0));
}
template <unsigned kBits, bool kSigned>
void extend_and_add(Machine& m) {
  const Value a = m.r(1), b = extended<kBits, kSigned>(m, 2, m.imm(3));
  m.w(0, m.add(a, b));
}

// ---- tables

// <name>ri, rr, rsi, rsr of ARM; t2<name>ri, rr, rs of Thumb.
template <Op kOp>
void bind_three(Isa& isa, const std::string& name) {
  isa.bind(name + "ri", three<kOp, rotated_immediate>);
  isa.bind(name + "rr", three<kOp, plain>);
  isa.bind(name + "rsi", three<kOp, shifted>);
  isa.bind(name + "rsr", three<kOp, shifted_by_register>);
  if (kOp == Op::kRsc) return;
  isa.bind("t2" + name + "ri", three<kOp, expanded_immediate>);
  isa.bind("t2" + name + "rr", three<kOp, plain>);
  isa.bind("t2" + name + "rs", three<kOp, shifted>);
}
template <Op kOp>
void bind_compare(Isa& isa, const std::string& name, const std::string& other) {
  isa.bind(name + "ri", compare<kOp, rotated_immediate>);
  isa.bind(other + "rr", compare<kOp, plain>);
  isa.bind(other + "rsi", compare<kOp, shifted>);
  isa.bind(other + "rsr", compare<kOp, shifted_by_register>);
  isa.bind("t2" + name + "ri", compare<kOp, expanded_immediate>);
  isa.bind("t2" + other + "rr", compare<kOp, plain>);
  isa.bind("t2" + other + "rs", compare<kOp, shifted>);
}
template <Shift kShift>
void bind_shift(Isa& isa, const std::string& name) {
  isa.bind("t2" + name + "ri", two<Op::kMove, shifted_immediate<kShift>>);
  isa.bind("t2" + name + "rr", two<Op::kMove, shifted_register<kShift>>);
  isa.bind("t" + name + "rr", two<Op::kMove, shifted_register<kShift>, Sets::kSecond, 2>);
}

constexpr Handler kDataHandlers[] = {
    {"MOVi", two<Op::kMove, rotated_immediate>},
    {"MOVr", two<Op::kMove, plain>},
    {"MOVsi", two<Op::kMove, shifted>},
    {"MOVsr", two<Op::kMove, shifted_by_register>},
    {"MVNi", two<Op::kNot, rotated_immediate>},
    {"MVNr", two<Op::kNot, plain>},
    {"MVNsi", two<Op::kNot, shifted>},
    {"MVNsr", two<Op::kNot, shifted_by_register>},
    {"MOVi16", two<Op::kMove, number<>, Sets::kNever>},
    {"MOVTi16", move_top},
    {"ADR", address_of<1>},
    {"t2MOVi", two<Op::kMove, expanded_immediate>},
    {"t2MOVr", two<Op::kMove, plain>},
    {"t2MVNi", two<Op::kNot, expanded_immediate>},
    {"t2MVNr", two<Op::kNot, plain>},
    {"t2MVNs", two<Op::kNot, shifted>},
    {"t2MOVi16", two<Op::kMove, number<>, Sets::kNever>},
    {"t2MOVTi16", move_top},
    {"t2RRX", two<Op::kMove, shifted_immediate<Shift::kRotateCarry>>},
    {"t2ADDri12", three<Op::kAdd, number<>, Sets::kNever>},
    {"t2SUBri12", three<Op::kSub, number<>, Sets::kNever>},
    {"t2ADDspImm", three<Op::kAdd, expanded_immediate>},
    {"t2SUBspImm", three<Op::kSub, expanded_immediate>},
    {"t2ADDspImm12", three<Op::kAdd, number<>, Sets::kNever>},
    {"t2SUBspImm12", three<Op::kSub, number<>, Sets::kNever>},
    {"t2ADR", address_of<1>},
    {"tADR", address_of<4>},
    {"tMOVi8", two<Op::kMove, number<>, Sets::kSecond, 2>},
    {"tMOVr", two<Op::kMove, plain, Sets::kNever>},
    {"tMOVSr", two<Op::kMove, plain, Sets::kAlways>},
    {"tMVN", two<Op::kNot, plain, Sets::kSecond, 2>},
    {"tRSB", three<Op::kRsb, zero, Sets::kSecond, 2>},
    {"tADDi3", three<Op::kAdd, number<>, Sets::kSecond, 2>},
    {"tADDi8", three<Op::kAdd, number<>, Sets::kSecond, 2>},
    {"tADDrr", three<Op::kAdd, plain, Sets::kSecond, 2>},
    {"tSUBi3", three<Op::kSub, number<>, Sets::kSecond, 2>},
    {"tSUBi8", three<Op::kSub, number<>, Sets::kSecond, 2>},
    {"tSUBrr", three<Op::kSub, plain, Sets::kSecond, 2>},
    {"tADC", three<Op::kAdc, plain, Sets::kSecond, 2>},
    {"tSBC", three<Op::kSbc, plain, Sets::kSecond, 2>},
    {"tAND", three<Op::kAnd, plain, Sets::kSecond, 2>},
    {"tEOR", three<Op::kXor, plain, Sets::kSecond, 2>},
    {"tORR", three<Op::kOr, plain, Sets::kSecond, 2>},
    {"tBIC", three<Op::kBic, plain, Sets::kSecond, 2>},
    {"tADDhirr", three<Op::kAdd, plain, Sets::kNever>},
    {"tADDrSP", three<Op::kAdd, plain, Sets::kNever>},
    {"tADDspr", three<Op::kAdd, plain, Sets::kNever>},
    {"tADDrSPi", three<Op::kAdd, number<4>, Sets::kNever>},
    {"tADDspi", three<Op::kAdd, number<4>, Sets::kNever>},
    {"tSUBspi", three<Op::kSub, number<4>, Sets::kNever>},
    {"tLSLri", two<Op::kMove, shifted_immediate<Shift::kLeft>, Sets::kSecond, 2>},
    {"tLSRri", two<Op::kMove, shifted_immediate<Shift::kRight>, Sets::kSecond, 2>},
    {"tASRri", two<Op::kMove, shifted_immediate<Shift::kArithmetic>, Sets::kSecond, 2>},
    {"tROR", two<Op::kMove, shifted_register<Shift::kRotate>, Sets::kSecond, 2>},
    {"tCMPi8", compare<Op::kSub, number<>>},
    {"tCMPr", compare<Op::kSub, plain>},
    {"tCMPhir", compare<Op::kSub, plain>},
    {"tCMNz", compare<Op::kAdd, plain>},
    {"tTST", compare<Op::kAnd, plain>},
    {"MUL", multiply<Sets::kLast>},
    {"MLA", multiply_add<false, Sets::kLast>},
    {"MLS", multiply_add<true, Sets::kNever>},
    {"UMULL", multiply_long<false, false, Sets::kLast>},
    {"SMULL", multiply_long<true, false, Sets::kLast>},
    {"UMLAL", multiply_long<false, true, Sets::kLast>},
    {"SMLAL", multiply_long<true, true, Sets::kLast>},
    {"UMAAL", multiply_add_add},
    {"tMUL", multiply<Sets::kSecond, 2>},
    {"t2MUL", multiply<Sets::kNever>},
    {"t2MLA", multiply_add<false, Sets::kNever>},
    {"t2MLS", multiply_add<true, Sets::kNever>},
    {"t2UMULL", multiply_long<false, false, Sets::kNever>},
    {"t2SMULL", multiply_long<true, false, Sets::kNever>},
    {"t2UMLAL", multiply_long<false, true, Sets::kNever>},
    {"t2SMLAL", multiply_long<true, true, Sets::kNever>},
    {"t2UMAAL", multiply_add_add},
    {"REV", one_register<Code::kReverseBytes>},
    {"tREV", one_register<Code::kReverseBytes>},
    {"t2REV", one_register<Code::kReverseBytes>},
    {"REV16", reverse_in_halves},
    {"tREV16", reverse_in_halves},
    {"t2REV16", reverse_in_halves},
    {"REVSH", reverse_signed_half},
    {"tREVSH", reverse_signed_half},
    {"t2REVSH", reverse_signed_half},
    {"tSXTB", extend_short<8, true>},
    {"tSXTH", extend_short<16, true>},
    {"tUXTB", extend_short<8, false>},
    {"tUXTH", extend_short<16, false>},
};

// These exist as <name> of ARM and t2<name> of Thumb, with the same operands.
constexpr Handler kBothModes[] = {
    {"SMULBB", multiply_halves<0, 0>},
    {"SMULBT", multiply_halves<0, 16>},
    {"SMULTB", multiply_halves<16, 0>},
    {"SMULTT", multiply_halves<16, 16>},
    {"UDIV", divide<Code::kDivideUnsigned>},
    {"SDIV", divide<Code::kDivideSigned>},
    {"SMMUL", divide<Code::kMultiplyHighSigned>},
    {"CLZ", one_register<Code::kLeadingZeros>},
    {"RBIT", one_register<Code::kReverseBits>},
    {"UBFX", extract_field<false>},
    {"SBFX", extract_field<true>},
    {"BFI", insert_field},
    {"BFC", clear_field},
    {"SXTB", extend<8, true>},
    {"SXTH", extend<16, true>},
    {"UXTB", extend<8, false>},
    {"UXTH", extend<16, false>},
    {"SXTAB", extend_and_add<8, true>},
    {"SXTAH", extend_and_add<16, true>},
    {"UXTAB", extend_and_add<8, false>},
    {"UXTAH", extend_and_add<16, false>},
};

}  // namespace

void bind_data(Isa& isa) {
  bind_three<Op::kAnd>(isa, "AND");
  bind_three<Op::kXor>(isa, "EOR");
  bind_three<Op::kSub>(isa, "SUB");
  bind_three<Op::kAdd>(isa, "ADD");
  bind_three<Op::kAdc>(isa, "ADC");
  bind_three<Op::kSbc>(isa, "SBC");
  bind_three<Op::kRsb>(isa, "RSB");
  bind_three<Op::kRsc>(isa, "RSC");
  bind_three<Op::kOr>(isa, "ORR");
  bind_three<Op::kBic>(isa, "BIC");
  isa.bind("t2ORNri", three<Op::kOrn, expanded_immediate>);
  isa.bind("t2ORNrr", three<Op::kOrn, plain>);
  isa.bind("t2ORNrs", three<Op::kOrn, shifted>);
  bind_compare<Op::kAnd>(isa, "TST", "TST");
  bind_compare<Op::kXor>(isa, "TEQ", "TEQ");
  bind_compare<Op::kSub>(isa, "CMP", "CMP");
  bind_compare<Op::kAdd>(isa, "CMN", "CMNz");
  bind_shift<Shift::kLeft>(isa, "LSL");
  bind_shift<Shift::kRight>(isa, "LSR");
  bind_shift<Shift::kArithmetic>(isa, "ASR");
  isa.bind("t2RORri", two<Op::kMove, shifted_immediate<Shift::kRotate>>);
  isa.bind("t2RORrr", two<Op::kMove, shifted_register<Shift::kRotate>>);
  isa.bind(kDataHandlers);
  for (const Handler& h : kBothModes) {
    isa.bind(h.opcode, h.lift);
    isa.bind("t2" + std::string(h.opcode), h.lift);
  }
}

}  // namespace assay::code::lift::arm
