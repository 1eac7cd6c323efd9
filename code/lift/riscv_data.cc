// RISC-V: RV32I and RV64I, M, Zba, Zbb and Zbs, and what C writes in 16 bits of them. What reads no memory.
// Source: The RISC-V Instruction Set Manual, volume I: chapters RV32I, RV64I, "M", "C" and "B".
//
// Compressed instructions have the operands of those they stand for. HINTs "do not change any architecturally visible
// state"; most of them write x0.
#include "code/lift/riscv.h"

namespace assay::code::lift {

namespace {

Value low_word(Machine& m, size_t i) { return m.r(i, 32); }
// "These *W instructions ignore the upper 32 bits of their inputs and always produce 32-bit signed values".
void write_word(Machine& m, Value v) { m.w(0, m.sign_extend(v, m.pointer())); }
Value unsigned_word(Machine& m, size_t i) { return m.zero_extend(low_word(m, i), m.pointer()); }
Value number_like(Machine& m, Value a, size_t i) { return m.like(a, static_cast<uint64_t>(m.imm(i))); }
// The amount is the lower 5 bits of the register, 6 where 64 bits are shifted.
Value amount_like(Machine& m, Value a, size_t i) { return m.and_mask(m.r(i, m.bits(a)), m.bits(a) - 1U); }

// ---- two registers, or a register and a number

template <Code kCode>
void registers(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, m.binary(kCode, a, b));
}
template <Code kCode>
void word_registers(Machine& m) {
  const Value a = low_word(m, 1), b = low_word(m, 2);
  write_word(m, m.binary(kCode, a, b));
}
template <Code kCode>
void immediate(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.binary(kCode, a, number_like(m, a, 2)));
}
template <Code kCode>
void word_immediate(Machine& m) {
  const Value a = low_word(m, 1);
  write_word(m, m.binary(kCode, a, number_like(m, a, 2)));
}
template <Code kCode>
void shift(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.binary(kCode, a, amount_like(m, a, 2)));
}
template <Code kCode>
void word_shift(Machine& m) {
  const Value a = low_word(m, 1);
  write_word(m, m.binary(kCode, a, amount_like(m, a, 2)));
}

template <Code kCompare>
void set_register(Machine& m) {
  const Value a = m.r(1), b = m.r(2), bit = m.compare(kCompare, a, b);
  m.w(0, m.zero_extend(bit, m.pointer()));
}
template <Code kCompare>
void set_immediate(Machine& m) {
  const Value a = m.r(1), bit = m.compare(kCompare, a, number_like(m, a, 2));
  m.w(0, m.zero_extend(bit, m.pointer()));
}

// And HINTs that write back what they read.
void move(Machine& m) { m.w(0, m.r(1)); }
void load_number(Machine& m) { m.w(0, m.address_value(static_cast<uint64_t>(m.imm(1)))); }
// The number's 20 bits are the upper ones of 32, which are sign-extended.
uint64_t upper(const Machine& m) {
  return static_cast<uint64_t>(ir::sign_extend(static_cast<uint64_t>(m.imm(1)) << 12 & 0xffffffff, 32));
}
void load_upper(Machine& m) { m.w(0, m.address_value(upper(m))); }
void add_upper_to_counter(Machine& m) { m.w(0, m.address_value(m.address() + upper(m))); }

// ---- multiply and divide

// The factor of the upper half that has a sign counts 2^XLEN less where it is negative.
void multiply_high_mixed(Machine& m) {
  const Value a = m.r(1), b = m.r(2), high = m.binary(Code::kMultiplyHighUnsigned, a, b);
  const Value negative = m.sign_bit(a), less = m.select(negative, b, m.like(b, 0));
  m.w(0, m.sub(high, less));
}
// "The quotient of division by zero has all bits set"; the remainder is the dividend, and what overflows
// is the dividend, remainder 0, as in the language.
template <Code kQuotient>
Value quotient(Machine& m, Value a, Value b) {
  const Value all_ones = m.like(a, ~uint64_t{0}), by_zero = m.equals(b, 0);
  return m.select(by_zero, all_ones, m.binary(kQuotient, a, b));
}
template <Code kQuotient>
void divide(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, quotient<kQuotient>(m, a, b));
}
template <Code kQuotient>
void divide_words(Machine& m) {
  const Value a = low_word(m, 1), b = low_word(m, 2);
  write_word(m, quotient<kQuotient>(m, a, b));
}

// ---- Zba: addresses

template <unsigned kShift, bool kUnsignedWord>
void shift_and_add(Machine& m) {
  const Value index = kUnsignedWord ? unsigned_word(m, 1) : m.r(1), base = m.r(2);
  m.w(0, m.add(base, m.shl_by(index, kShift)));
}
void shift_unsigned_word(Machine& m) { m.w(0, m.shl_by(unsigned_word(m, 1), static_cast<unsigned>(m.imm(2)))); }

// ---- Zbb: bits and bytes

template <Code kCode>
void inverted(Machine& m) {
  const Value a = m.r(1), b = m.bit_not(m.r(2));
  m.w(0, m.binary(kCode, a, b));
}
template <Code kCode>
void one_register(Machine& m) {
  m.w(0, m.unary(kCode, m.r(1)));
}
template <Code kCode>
void one_word(Machine& m) {
  m.w(0, m.zero_extend(m.unary(kCode, low_word(m, 1)), m.pointer()));
}
template <Code kLess, bool kGreater>
void extreme(Machine& m) {
  const Value a = m.r(1), b = m.r(2), less = m.compare(kLess, a, b);
  m.w(0, kGreater ? m.select(less, b, a) : m.select(less, a, b));
}
template <unsigned kBits, bool kSigned>
void extend(Machine& m) {
  const Value part = m.r(1, kBits);
  m.w(0, kSigned ? m.sign_extend(part, m.pointer()) : m.zero_extend(part, m.pointer()));
}
void rotate_left(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.ror(a, m.negate(amount_like(m, a, 2))));
}
void rotate_word_left(Machine& m) {
  const Value a = low_word(m, 1);
  write_word(m, m.ror(a, m.negate(amount_like(m, a, 2))));
}
// "… the bits of each byte … to all zeros if no bit within the respective byte … is set, or to all ones": the sum
// carries into bit 7 of a byte where one of its lower bits is set.
void or_combine_bytes(Machine& m) {
  constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const Value a = m.r(1), low = m.and_mask(a, kLow), carried = m.add(low, m.like(a, kLow));
  const Value some = m.shr_by(m.and_mask(m.bit_or(carried, a), ~kLow), 7);
  m.w(0, m.mul(some, m.like(a, 0xff)));
}

// ---- Zbs: single bits

enum class Bit : uint8_t { kClear, kExtract, kInvert, kSet };
template <Bit kBit>
void single_bit(Machine& m) {
  const Value a = m.r(1), index = m.is_reg(2) ? amount_like(m, a, 2) : number_like(m, a, 2);
  if (kBit == Bit::kExtract) return m.w(0, m.and_mask(m.shr(a, index), 1));
  const Value mask = m.shl(m.like(a, 1), index);
  m.w(0, kBit == Bit::kClear    ? m.bit_and(a, m.bit_not(mask))
         : kBit == Bit::kInvert ? m.bit_xor(a, mask)
                                : m.bit_or(a, mask));
}

void no_effect(Machine&) {}

constexpr Handler kData[] = {
    {"ADD", registers<Code::kAdd>},
    {"C_ADD", registers<Code::kAdd>},
    {"SUB", registers<Code::kSubtract>},
    {"C_SUB", registers<Code::kSubtract>},
    {"AND", registers<Code::kAnd>},
    {"C_AND", registers<Code::kAnd>},
    {"OR", registers<Code::kOr>},
    {"C_OR", registers<Code::kOr>},
    {"XOR", registers<Code::kXor>},
    {"C_XOR", registers<Code::kXor>},
    {"ADDI", immediate<Code::kAdd>},
    {"C_ADDI", immediate<Code::kAdd>},
    {"C_ADDI16SP", immediate<Code::kAdd>},
    {"C_ADDI4SPN", immediate<Code::kAdd>},
    {"ANDI", immediate<Code::kAnd>},
    {"C_ANDI", immediate<Code::kAnd>},
    {"ORI", immediate<Code::kOr>},
    {"XORI", immediate<Code::kXor>},
    {"ADDW", word_registers<Code::kAdd>},
    {"C_ADDW", word_registers<Code::kAdd>},
    {"SUBW", word_registers<Code::kSubtract>},
    {"C_SUBW", word_registers<Code::kSubtract>},
    {"ADDIW", word_immediate<Code::kAdd>},
    {"C_ADDIW", word_immediate<Code::kAdd>},
    {"SLT", set_register<Code::kLessSigned>},
    {"SLTU", set_register<Code::kLessUnsigned>},
    {"SLTI", set_immediate<Code::kLessSigned>},
    {"SLTIU", set_immediate<Code::kLessUnsigned>},
    {"SLL", shift<Code::kShiftLeft>},
    {"SRL", shift<Code::kShiftRight>},
    {"SRA", shift<Code::kShiftRightSigned>},
    {"SLLI", immediate<Code::kShiftLeft>},
    {"C_SLLI", immediate<Code::kShiftLeft>},
    {"SRLI", immediate<Code::kShiftRight>},
    {"C_SRLI", immediate<Code::kShiftRight>},
    {"SRAI", immediate<Code::kShiftRightSigned>},
    {"C_SRAI", immediate<Code::kShiftRightSigned>},
    {"SLLW", word_shift<Code::kShiftLeft>},
    {"SRLW", word_shift<Code::kShiftRight>},
    {"SRAW", word_shift<Code::kShiftRightSigned>},
    {"SLLIW", word_immediate<Code::kShiftLeft>},
    {"SRLIW", word_immediate<Code::kShiftRight>},
    {"SRAIW", word_immediate<Code::kShiftRightSigned>},
    {"C_MV", move},
    {"C_LI", load_number},
    {"LUI", load_upper},
    {"C_LUI", load_upper},
    {"AUIPC", add_upper_to_counter},
    {"C_NOP", no_effect},
    {"C_NOP_HINT", no_effect},
    {"C_ADDI_NOP", no_effect},
    {"C_ADDI_HINT_IMM_ZERO", move},
    {"C_LI_HINT", no_effect},
    {"C_LUI_HINT", no_effect},
    {"C_MV_HINT", no_effect},
    {"C_ADD_HINT", no_effect},
    {"C_SLLI_HINT", no_effect},
    {"C_SLLI64_HINT", move},
    {"C_SRLI64_HINT", move},
    {"C_SRAI64_HINT", move},
    {"MUL", registers<Code::kMultiply>},
    {"MULW", word_registers<Code::kMultiply>},
    {"MULH", registers<Code::kMultiplyHighSigned>},
    {"MULHU", registers<Code::kMultiplyHighUnsigned>},
    {"MULHSU", multiply_high_mixed},
    {"DIV", divide<Code::kDivideSigned>},
    {"DIVU", divide<Code::kDivideUnsigned>},
    {"REM", registers<Code::kRemainderSigned>},
    {"REMU", registers<Code::kRemainderUnsigned>},
    {"DIVW", divide_words<Code::kDivideSigned>},
    {"DIVUW", divide_words<Code::kDivideUnsigned>},
    {"REMW", word_registers<Code::kRemainderSigned>},
    {"REMUW", word_registers<Code::kRemainderUnsigned>},
    {"SH1ADD", shift_and_add<1, false>},
    {"SH2ADD", shift_and_add<2, false>},
    {"SH3ADD", shift_and_add<3, false>},
    {"ADD_UW", shift_and_add<0, true>},
    {"SH1ADD_UW", shift_and_add<1, true>},
    {"SH2ADD_UW", shift_and_add<2, true>},
    {"SH3ADD_UW", shift_and_add<3, true>},
    {"SLLI_UW", shift_unsigned_word},
    {"ANDN", inverted<Code::kAnd>},
    {"ORN", inverted<Code::kOr>},
    {"XNOR", inverted<Code::kXor>},
    {"CLZ", one_register<Code::kLeadingZeros>},
    {"CTZ", one_register<Code::kTrailingZeros>},
    {"CPOP", one_register<Code::kCountOnes>},
    {"CLZW", one_word<Code::kLeadingZeros>},
    {"CTZW", one_word<Code::kTrailingZeros>},
    {"CPOPW", one_word<Code::kCountOnes>},
    {"MIN", extreme<Code::kLessSigned, false>},
    {"MINU", extreme<Code::kLessUnsigned, false>},
    {"MAX", extreme<Code::kLessSigned, true>},
    {"MAXU", extreme<Code::kLessUnsigned, true>},
    {"SEXT_B", extend<8, true>},
    {"SEXT_H", extend<16, true>},
    {"ZEXT_H_RV32", extend<16, false>},
    {"ZEXT_H_RV64", extend<16, false>},
    {"ROL", rotate_left},
    {"ROLW", rotate_word_left},
    {"ROR", shift<Code::kRotateRight>},
    {"RORW", word_shift<Code::kRotateRight>},
    {"RORI", immediate<Code::kRotateRight>},
    {"RORIW", word_immediate<Code::kRotateRight>},
    {"ORC_B", or_combine_bytes},
    {"REV8_RV32", one_register<Code::kReverseBytes>},
    {"REV8_RV64", one_register<Code::kReverseBytes>},
    {"BCLR", single_bit<Bit::kClear>},
    {"BCLRI", single_bit<Bit::kClear>},
    {"BEXT", single_bit<Bit::kExtract>},
    {"BEXTI", single_bit<Bit::kExtract>},
    {"BINV", single_bit<Bit::kInvert>},
    {"BINVI", single_bit<Bit::kInvert>},
    {"BSET", single_bit<Bit::kSet>},
    {"BSETI", single_bit<Bit::kSet>},
};

}  // namespace

std::span<const Handler> riscv_data() { return kData; }

}  // namespace assay::code::lift
