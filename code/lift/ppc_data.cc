// Arithmetic, logic, rotates and compares of PowerPC.
// Source: Power ISA 2.07, book I, chapters 2.5 and 3.3. Operand order: that of LLVM's PowerPC target.
#include "code/lift/nzcv.h"
#include "code/lift/ppc.h"

#include <string>

namespace assay::code::lift::ppc {

void put_field(Machine& m, RegisterId first, const Field& field) {
  m.put(first, field.less);
  m.put(static_cast<RegisterId>(first + 1), field.greater);
  m.put(static_cast<RegisterId>(first + 2), field.equal);
  m.put(static_cast<RegisterId>(first + 3), m.get(kOverflowed));
}

namespace {

void put_comparison(Machine& m, RegisterId first, Code less, Value a, Value b) {
  Field field;
  field.less = m.compare(less, a, b);
  field.greater = m.compare(less, b, a);
  field.equal = m.equal(a, b);
  put_field(m, first, field);
}
// What the forms with a point do besides: compare the result with 0.
void record(Machine& m, Value v) { put_comparison(m, kConditions, Code::kLessSigned, v, m.like(v, 0)); }

// XER's overflow, and its summary, which stays.
void put_overflow(Machine& m, Value overflow) {
  m.put(kOverflow, overflow);
  m.put(kOverflowed, m.bit_or(m.get(kOverflowed), overflow));
}

Value immediate(Machine& m, size_t i) {
  return m.constant(32, static_cast<uint64_t>(ir::sign_extend(static_cast<uint64_t>(m.imm(i)), 16)));
}
Value unsigned_immediate(Machine& m, size_t i) { return m.constant(32, static_cast<uint64_t>(m.imm(i)) & 0xffff); }
Value high_immediate(Machine& m, size_t i) { return m.constant(32, static_cast<uint64_t>(m.imm(i)) << 16); }

// A body yields the value of the first operand; where `overflow` is set it puts that too.
using Body = Value (*)(Machine&, bool overflow);
template <Body kBody, bool kOverflow = false, bool kRecord = false>
void write(Machine& m) {
  const Value v = kBody(m, kOverflow);
  m.w(0, v);
  if (kRecord) record(m, v);
}

// ---- sums

enum class In : uint8_t { kZero, kOne, kCarry };
using Second = Value (*)(Machine&);
Value second_register(Machine& m) { return m.r(2); }
Value second_immediate(Machine& m) { return immediate(m, 2); }
Value none(Machine& m) { return m.constant(32, 0); }
Value all_ones(Machine& m) { return m.constant(32, ~uint64_t{0}); }

struct Sum {
  Value value = 0, carry = 0;
};
Sum plus(Machine& m, Value a, Value b) {
  const Value v = m.add(a, b);
  return {.value = v, .carry = m.less_unsigned(v, a)};
}
Sum plus_carry(Machine& m, Value a, Value b) {
  const Value part = m.add(a, b), v = m.add(part, m.zero_extend(m.get(kCarry), 32));
  const Value first = m.less_unsigned(part, a), then = m.less_unsigned(v, part);
  return {.value = v, .carry = m.bit_or(first, then)};
}
// ~a + b + 1
Sum minus(Machine& m, Value a, Value b) {
  const Value v = m.sub(b, a);
  return {.value = v, .carry = m.compare(Code::kLessEqualUnsigned, a, b)};
}

// a + second + in, or ~a + second + in: every sum and difference of the instruction set.
template <bool kInvert, Second kSecond, In kIn, bool kSetsCarry>
Value sum(Machine& m, bool overflow) {
  const Value a = m.r(1), b = kSecond(m), other = kInvert && kIn != In::kOne ? m.bit_not(a) : a;
  if (kIn != In::kCarry && !kSetsCarry && !overflow) return kIn == In::kOne ? m.sub(b, a) : m.add(a, b);
  const Sum s = kIn == In::kOne ? minus(m, a, b) : kIn == In::kCarry ? plus_carry(m, other, b) : plus(m, a, b);
  if (kSetsCarry) m.put(kCarry, s.carry);
  if (overflow) {
    const Value first = kIn == In::kOne ? m.bit_not(a) : other;
    put_overflow(m, sum_overflow(m, first, b, s.value));
  }
  return s.value;
}
Value negative(Machine& m, bool overflow) {
  const Value a = m.r(1);
  if (overflow) put_overflow(m, m.equals(a, 0x80000000));
  return m.negate(a);
}
// li and lis, addi and addis.
template <Second kSecond>
void load_immediate(Machine& m) {
  m.w(0, kSecond(m));
}
Value only_immediate(Machine& m) { return immediate(m, 1); }
Value only_high_immediate(Machine& m) { return high_immediate(m, 1); }
Value second_high_immediate(Machine& m) { return high_immediate(m, 2); }

// ---- products and quotients

Value multiply_low(Machine& m, bool overflow) {
  const Value a = m.r(1), b = m.r(2), v = m.mul(a, b);
  if (overflow) {
    const Value high = m.binary(Code::kMultiplyHighSigned, a, b);
    put_overflow(m, m.not_equal(high, m.sar_by(v, 31)));
  }
  return v;
}
void multiply_immediate(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.mul(a, immediate(m, 2)));
}
template <Code kCode>
Value two(Machine& m, bool) {
  const Value a = m.r(1), b = m.r(2);
  return m.binary(kCode, a, b);
}
// "If an attempt is made to perform any of the divisions 0x8000_0000 ÷ -1, <anything> ÷ 0, the contents of RT are
// undefined", and those of CR0's first three flags with it.
template <bool kSigned>
Value divide(Machine& m, bool overflow) {
  const Value a = m.r(1), b = m.r(2), zero = m.equals(b, 0);
  Value bad = zero;
  if (kSigned) {
    const Value least = m.equals(a, 0x80000000), by_minus_one = m.equals(b, 0xffffffff);
    bad = m.bit_or(zero, m.bit_and(least, by_minus_one));
  }
  if (overflow) put_overflow(m, bad);
  const Value unknown = m.undefined(32);
  return m.select(bad, unknown, m.binary(kSigned ? Code::kDivideSigned : Code::kDivideUnsigned, a, b));
}

// ---- logic

template <Code kCode, bool kInvertSecond = false, bool kInvertResult = false>
Value logic(Machine& m, bool) {
  const Value a = m.r(1);
  if ((kCode == Code::kOr || kCode == Code::kAnd) && !kInvertSecond && m.id(1) == m.id(2))
    return kInvertResult ? m.bit_not(a) : a;
  const Value b = m.r(2), v = m.binary(kCode, a, kInvertSecond ? m.bit_not(b) : b);
  return kInvertResult ? m.bit_not(v) : v;
}
template <Code kCode, bool kHigh>
Value logic_immediate(Machine& m, bool) {
  const Value a = m.r(1);
  return m.binary(kCode, a, kHigh ? high_immediate(m, 2) : unsigned_immediate(m, 2));
}
template <unsigned kBits>
Value sign_extended(Machine& m, bool) {
  return m.sign_extend(m.truncate(m.r(1), kBits), 32);
}
Value leading_zeros(Machine& m, bool) { return m.unary(Code::kLeadingZeros, m.r(1)); }

// ---- shifts and rotates

// "Bits 26 to 31 of RB": shifts by 32 to 63 give 0, or the sign.
Value shift_amount(Machine& m) { return m.and_mask(m.r(2), 63); }
template <Code kShift>
Value shift(Machine& m, bool) {
  const Value a = m.r(1), by = shift_amount(m);
  return m.binary(kShift, a, by);
}
// The carry says that a was negative and ones were shifted out.
Value shift_signed(Machine& m, Value a, Value by) {
  const Value v = m.sar(a, by), back = m.shl(v, by), lost = m.not_equal(back, a);
  // By 32 and more, back is 0: of a negative number ones were lost then.
  m.put(kCarry, m.bit_and(m.sign_bit(a), lost));
  return v;
}
Value shift_signed_register(Machine& m, bool) {
  const Value a = m.r(1), by = shift_amount(m);
  return shift_signed(m, a, by);
}
Value shift_signed_immediate(Machine& m, bool) {
  const Value a = m.r(1);
  return shift_signed(m, a, m.like(a, static_cast<uint64_t>(m.imm(2))));
}

// Ones from bit `first` to bit `last`, counted from the top; around the end where first > last.
uint64_t run_of_ones(unsigned first, unsigned last) {
  const uint64_t from = ir::mask(32 - first), to = ~ir::mask(31 - last) & ir::mask(32);
  return first <= last ? from & to : from | to;
}
uint64_t mask_at(const Machine& m, size_t i) {
  return run_of_ones(static_cast<unsigned>(m.imm(i)) & 31, static_cast<unsigned>(m.imm(i + 1)) & 31);
}
Value rotate_left(Machine& m, Value a, unsigned by) { return m.ror_by(a, (32 - by) % 32); }
// ra, rs, by, first, last. Where nothing comes around it is a shift.
Value rotate_and_mask(Machine& m, bool) {
  const Value a = m.r(1);
  const auto by = static_cast<unsigned>(m.imm(2)) & 31;
  const uint64_t mask = mask_at(m, 3), left = ir::mask(32) & (ir::mask(32) << by), right = ir::mask(by);
  if (by != 0 && mask == left) return m.shl_by(a, by);
  if (by != 0 && mask == right) return m.shr_by(a, 32 - by);
  const Value rotated = rotate_left(m, a, by);
  return mask == ir::mask(32) ? rotated : m.and_mask(rotated, mask);
}
Value rotate_by_register(Machine& m, bool) {
  const Value a = m.r(1), by = m.negate(m.r(2));
  return m.and_mask(m.ror(a, by), mask_at(m, 3));
}
// ra, ra, rs, by, first, last.
Value rotate_and_insert(Machine& m, bool) {
  const uint64_t mask = mask_at(m, 4);
  const Value kept = m.and_mask(m.r(1), ~mask);
  const Value rotated = rotate_left(m, m.r(2), static_cast<unsigned>(m.imm(3)) & 31);
  return m.bit_or(kept, m.and_mask(rotated, mask));
}

// ---- compares

enum class Compared : uint8_t { kRegister, kSigned, kUnsigned };
template <Code kLess, Compared kWith>
void compare(Machine& m) {
  const Value a = m.r(1);
  const Value b = kWith == Compared::kRegister ? m.r(2)
                  : kWith == Compared::kSigned ? immediate(m, 2)
                                               : unsigned_immediate(m, 2);
  put_comparison(m, m.id(0), kLess, a, b);
}
void select_on_flag(Machine& m) {
  const Value a = m.r(1), b = m.r(2), flag = m.r(3);
  m.w(0, m.select(flag, a, b));
}

template <Body kBody>
void bind_recorded(Isa& isa, const std::string& name) {
  isa.bind(name, write<kBody, false, false>);
  isa.bind(name + "_rec", write<kBody, false, true>);
}
template <Body kBody>
void bind_arithmetic(Isa& isa, const std::string& name) {
  bind_recorded<kBody>(isa, name);
  isa.bind(name + "O", write<kBody, true, false>);
  isa.bind(name + "O_rec", write<kBody, true, true>);
}

constexpr Handler kDataHandlers[] = {
    {"LI", load_immediate<only_immediate>},
    {"LIS", load_immediate<only_high_immediate>},
    {"ADDI", write<sum<false, second_immediate, In::kZero, false>>},
    {"ADDIS", write<sum<false, second_high_immediate, In::kZero, false>>},
    {"ADDIC", write<sum<false, second_immediate, In::kZero, true>>},
    {"ADDIC_rec", write<sum<false, second_immediate, In::kZero, true>, false, true>},
    {"SUBFIC", write<sum<true, second_immediate, In::kOne, true>>},
    {"MULLI", multiply_immediate},
    {"ANDI_rec", write<logic_immediate<Code::kAnd, false>, false, true>},
    {"ANDIS_rec", write<logic_immediate<Code::kAnd, true>, false, true>},
    {"ORI", write<logic_immediate<Code::kOr, false>>},
    {"ORIS", write<logic_immediate<Code::kOr, true>>},
    {"XORI", write<logic_immediate<Code::kXor, false>>},
    {"XORIS", write<logic_immediate<Code::kXor, true>>},
    {"CMPW", compare<Code::kLessSigned, Compared::kRegister>},
    {"CMPWI", compare<Code::kLessSigned, Compared::kSigned>},
    {"CMPLW", compare<Code::kLessUnsigned, Compared::kRegister>},
    {"CMPLWI", compare<Code::kLessUnsigned, Compared::kUnsigned>},
    {"ISEL", select_on_flag},
};

}  // namespace

void bind_data(Isa& isa) {
  isa.bind(kDataHandlers);
  bind_arithmetic<sum<false, second_register, In::kZero, false>>(isa, "ADD4");
  bind_arithmetic<sum<false, second_register, In::kZero, true>>(isa, "ADDC");
  bind_arithmetic<sum<false, second_register, In::kCarry, true>>(isa, "ADDE");
  bind_arithmetic<sum<false, all_ones, In::kCarry, true>>(isa, "ADDME");
  bind_arithmetic<sum<false, none, In::kCarry, true>>(isa, "ADDZE");
  bind_arithmetic<sum<true, second_register, In::kOne, false>>(isa, "SUBF");
  bind_arithmetic<sum<true, second_register, In::kOne, true>>(isa, "SUBFC");
  bind_arithmetic<sum<true, second_register, In::kCarry, true>>(isa, "SUBFE");
  bind_arithmetic<sum<true, all_ones, In::kCarry, true>>(isa, "SUBFME");
  bind_arithmetic<sum<true, none, In::kCarry, true>>(isa, "SUBFZE");
  bind_arithmetic<negative>(isa, "NEG");
  bind_arithmetic<multiply_low>(isa, "MULLW");
  bind_arithmetic<divide<true>>(isa, "DIVW");
  bind_arithmetic<divide<false>>(isa, "DIVWU");
  bind_recorded<two<Code::kMultiplyHighSigned>>(isa, "MULHW");
  bind_recorded<two<Code::kMultiplyHighUnsigned>>(isa, "MULHWU");
  bind_recorded<logic<Code::kAnd>>(isa, "AND");
  bind_recorded<logic<Code::kAnd, true>>(isa, "ANDC");
  bind_recorded<logic<Code::kAnd, false, true>>(isa, "NAND");
  bind_recorded<logic<Code::kOr>>(isa, "OR");
  bind_recorded<logic<Code::kOr, true>>(isa, "ORC");
  bind_recorded<logic<Code::kOr, false, true>>(isa, "NOR");
  bind_recorded<logic<Code::kXor>>(isa, "XOR");
  bind_recorded<logic<Code::kXor, false, true>>(isa, "EQV");
  bind_recorded<sign_extended<8>>(isa, "EXTSB");
  bind_recorded<sign_extended<16>>(isa, "EXTSH");
  bind_recorded<leading_zeros>(isa, "CNTLZW");
  bind_recorded<shift<Code::kShiftLeft>>(isa, "SLW");
  bind_recorded<shift<Code::kShiftRight>>(isa, "SRW");
  bind_recorded<shift_signed_register>(isa, "SRAW");
  bind_recorded<shift_signed_immediate>(isa, "SRAWI");
  bind_recorded<rotate_and_mask>(isa, "RLWINM");
  bind_recorded<rotate_by_register>(isa, "RLWNM");
  bind_recorded<rotate_and_insert>(isa, "RLWIMI");
}

}  // namespace assay::code::lift::ppc
