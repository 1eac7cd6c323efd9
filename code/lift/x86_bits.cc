// Shifts, rotates and single bits of x86.
//
// Counts are "masked to 5 bits (or 6 bits with a 64-bit operand)"; by 0 nothing
// happens to the flags. Where the count is a number, what the manual says of it
// is settled here; where it is cl, the language chooses.
#include "code/lift/x86.h"

namespace assay::code::lift::x86 {

namespace {

// How often: a number, or cl.
struct Count {
  Value value = 0;  // masked, as wide as what is shifted
  int number = -1;  // -1: known only when run
  unsigned bits = 0;
};
enum class By : uint8_t { kOne, kNumber, kCl };

Count number_count(Machine& m, unsigned number, unsigned bits) {
  const unsigned n = number & (bits == 64 ? 63U : 31U);
  return {.value = m.constant(bits, n), .number = static_cast<int>(n), .bits = bits};
}
Count count_of(Machine& m, By by, size_t operand, unsigned bits) {
  if (by == By::kOne) return number_count(m, 1, bits);
  if (by == By::kNumber) return number_count(m, static_cast<unsigned>(m.imm(operand)), bits);
  const Value low = m.and_mask(m.read(general(kC, 8)), bits == 64 ? 63 : 31);
  return {.value = m.zero_extend(low, bits), .bits = bits};
}
// `v`, if there is one; where the count is 0 the flag is kept.
Value unless_zero(Machine& m, const Count& n, Value v, RegisterId flag) {
  if (n.number > 0 || v == 0) return v;
  const Value some = m.differs(n.value, 0);
  return m.select(some, v, m.get(flag));
}
// "The OF flag is affected only for 1-bit shifts. Otherwise, it is undefined."
Value only_by_one(Machine& m, const Count& n, Value v) {
  if (n.number == 1) return v;
  const Value unknown = m.undefined(1);
  if (n.number >= 0) return unknown;
  const Value one = m.equals(n.value, 1);
  return m.select(one, v, unknown);
}
// What the manual leaves undefined for counts above `most`.
Value unless_more(Machine& m, const Count& n, unsigned most, Value v) {
  const unsigned highest = n.bits == 64 ? 63 : 31;
  if (most >= highest || (n.number >= 0 && n.number <= static_cast<int>(most))) return v;
  const Value unknown = m.undefined(m.bits(v));
  if (n.number >= 0) return unknown;
  const Value more = m.less_unsigned(m.like(n.value, most), n.value);
  return m.select(more, unknown, v);
}
void put_shift_flags(Machine& m, const Count& n, Value v, Value carry, Value overflow) {
  const Flags new_flags = flags_of(m, v);
  const Value unknown = m.undefined(1);
  Flags out;
  out.carry = unless_zero(m, n, carry, kCarry);
  out.parity = unless_zero(m, n, new_flags.parity, kParity);
  out.adjust = unless_zero(m, n, unknown, kAdjust);
  out.zero = unless_zero(m, n, new_flags.zero, kZero);
  out.sign = unless_zero(m, n, new_flags.sign, kSign);
  out.overflow = unless_zero(m, n, only_by_one(m, n, overflow), kOverflow);
  put_flags(m, out);
}
Value first_bit(Machine& m, Value v) { return m.truncate(v, 1); }

// ---- shifts

// The carry is the last bit shifted out: the one at the edge after one step
// less.
template <Code kShift>
void shift(Machine& m, const Place& place, const Count& n) {
  const Value a = get(m, place), less = m.add_number(n.value, -1), part = m.binary(kShift, a, less);
  const Value v = m.binary(kShift, a, n.value);
  Value carry = kShift == Code::kShiftLeft ? m.sign_bit(part) : first_bit(m, part);
  if (kShift != Code::kShiftRightSigned) carry = unless_more(m, n, n.bits - 1, carry);
  Value overflow = 0;
  if (kShift == Code::kShiftLeft) overflow = m.sign_bit(m.bit_xor(v, part));
  if (kShift == Code::kShiftRight) overflow = m.sign_bit(a);
  if (kShift == Code::kShiftRightSigned) overflow = m.constant(1, 0);
  set(m, place, v);
  if (n.number != 0) put_shift_flags(m, n, v, carry, overflow);
}

// ---- rotates: the other flags stay

void put_rotate_flags(Machine& m, const Count& n, Value carry, Value overflow) {
  if (n.number == 0) return;
  Flags out;
  out.carry = unless_zero(m, n, carry, kCarry);
  out.overflow = unless_zero(m, n, only_by_one(m, n, overflow), kOverflow);
  put_flags(m, out);
}
template <bool kLeft>
void rotate(Machine& m, const Place& place, const Count& n) {
  const Value a = get(m, place), v = m.ror(a, kLeft ? m.negate(n.value) : n.value);
  const Value top = m.sign_bit(v), next = m.extract(v, n.bits - 2, 1), low = first_bit(m, v);
  set(m, place, v);
  put_rotate_flags(m, n, kLeft ? low : top, m.bit_xor(top, kLeft ? low : next));
}
// Through the carry: of 8 and 16 bits counts go modulo 9 and 17.
template <bool kLeft>
void rotate_carry(Machine& m, const Place& place, const Count& n) {
  const Value a = get(m, place), in = m.get(kCarry);
  Value by = n.value;
  if (n.bits < 32) by = m.binary(Code::kRemainderUnsigned, by, m.like(by, n.bits + 1));
  constexpr Code kTowards = kLeft ? Code::kShiftLeft : Code::kShiftRight;
  constexpr Code kAway = kLeft ? Code::kShiftRight : Code::kShiftLeft;
  // The carry comes in at the edge and goes on by one less; what leaves comes
  // around behind it.
  const Value edge = kLeft ? m.zero_extend(in, n.bits) : m.shl_by(m.zero_extend(in, n.bits), n.bits - 1);
  const Value moved = m.binary(kTowards, a, by), carried = m.binary(kTowards, edge, m.add_number(by, -1));
  const Value width = m.like(by, n.bits + 1), around = m.binary(kAway, a, m.sub(width, by));
  const Value v = m.bit_or(m.bit_or(moved, carried), around);
  const Value part = m.binary(kTowards, a, m.add_number(by, -1));
  const Value last = kLeft ? m.sign_bit(part) : first_bit(m, part);
  const Value none = m.equals(by, 0), carry = m.select(none, in, last);
  set(m, place, v);
  const Value top = m.sign_bit(v);
  const Value overflow = kLeft ? m.bit_xor(top, carry) : m.bit_xor(top, m.extract(v, n.bits - 2, 1));
  put_rotate_flags(m, n, carry, overflow);
}

using Shift = void (*)(Machine&, const Place&, const Count&);
template <Shift kShift, By kBy, bool kMemory, unsigned kBits>
void shift_of(Machine& m) {
  const Place place = first_place(m, kMemory, kBits);
  kShift(m, place, count_of(m, kBy, kMemory ? 5 : 2, kBits));
}
template <Shift kShift, unsigned kBits>
void bind_shift_size(Isa& isa, const char* op) {
  const std::string name = sized<kBits>(op);
  isa.bind(name + "r1", shift_of<kShift, By::kOne, false, kBits>);
  isa.bind(name + "ri", shift_of<kShift, By::kNumber, false, kBits>);
  isa.bind(name + "rCL", shift_of<kShift, By::kCl, false, kBits>);
  isa.bind(name + "m1", shift_of<kShift, By::kOne, true, kBits>);
  isa.bind(name + "mi", shift_of<kShift, By::kNumber, true, kBits>);
  isa.bind(name + "mCL", shift_of<kShift, By::kCl, true, kBits>);
}
template <Shift kShift>
void bind_shift(Isa& isa, const char* op) {
  bind_shift_size<kShift, 8>(isa, op);
  bind_shift_size<kShift, 16>(isa, op);
  bind_shift_size<kShift, 32>(isa, op);
  bind_shift_size<kShift, 64>(isa, op);
}

// shld and shrd: bits of a second register come in. "If the count is greater
// than the operand size, the result is undefined", and the flags.
template <bool kLeft, bool kByCl, bool kMemory, unsigned kBits>
void shift_double(Machine& m) {
  const Place place = first_place(m, kMemory, kBits);
  const size_t source = kMemory ? 5 : 2;
  const Count n = count_of(m, kByCl ? By::kCl : By::kNumber, source + 1, kBits);
  constexpr Code kTowards = kLeft ? Code::kShiftLeft : Code::kShiftRight;
  constexpr Code kAway = kLeft ? Code::kShiftRight : Code::kShiftLeft;
  const Value a = get(m, place), from = m.r(source), width = m.like(a, kBits);
  const Value moved = m.binary(kTowards, a, n.value), in = m.binary(kAway, from, m.sub(width, n.value));
  const Value v = unless_more(m, n, kBits, m.bit_or(moved, in));
  const Value part = m.binary(kTowards, a, m.add_number(n.value, -1));
  const Value carry = unless_more(m, n, kBits, kLeft ? m.sign_bit(part) : first_bit(m, part));
  const Value overflow = m.sign_bit(m.bit_xor(v, a));
  set(m, place, v);
  if (n.number != 0) put_shift_flags(m, n, v, carry, overflow);
}
template <bool kLeft, unsigned kBits>
void bind_double(Isa& isa, const char* op) {
  const std::string name = sized<kBits>(op);
  isa.bind(name + "rri8", shift_double<kLeft, false, false, kBits>);
  isa.bind(name + "mri8", shift_double<kLeft, false, true, kBits>);
  isa.bind(name + "rrCL", shift_double<kLeft, true, false, kBits>);
  isa.bind(name + "mrCL", shift_double<kLeft, true, true, kBits>);
}

// ---- single bits: the carry is the bit; "the ZF flag is unaffected, the OF,
// SF, AF, and PF flags are undefined"

enum class Change : uint8_t { kNone, kSet, kReset, kComplement };
void change_bit(Machine& m, Change change, const Place& place, Value bit) {
  const Value a = get(m, place), at = m.shl(m.like(a, 1), bit);
  const Value carry = first_bit(m, m.shr(a, bit)), unknown = m.undefined(1);
  if (change == Change::kSet) set(m, place, m.bit_or(a, at));
  if (change == Change::kReset) set(m, place, m.bit_and(a, m.bit_not(at)));
  if (change == Change::kComplement) set(m, place, m.bit_xor(a, at));
  put_flags(m, {.carry = carry, .parity = unknown, .adjust = unknown, .sign = unknown, .overflow = unknown});
}
template <Change kChange, bool kNumber, unsigned kBits>
void bit_in_register(Machine& m) {
  const size_t operand = kChange == Change::kNone ? 1 : 2;
  const Place place = register_at(m, 0);
  const Value bit =
      kNumber ? m.constant(kBits, static_cast<uint64_t>(m.imm(operand)) % kBits) : m.and_mask(m.r(operand), kBits - 1);
  change_bit(m, kChange, place, bit);
}
template <Change kChange, unsigned kBits>
void number_in_memory(Machine& m) {
  const Place place = memory_at(m, 0, kBits);
  change_bit(m, kChange, place, m.constant(kBits, static_cast<uint64_t>(m.imm(5)) % kBits));
}
// A register counts bits from the address, with sign, beyond the word that
// stands there.
template <Change kChange, unsigned kBits>
void register_in_memory(Machine& m) {
  constexpr unsigned kLog = kBits == 16 ? 4 : kBits == 32 ? 5 : 6;
  const Value at = m.r(5), word = m.sign_extend(m.sar_by(at, kLog), m.pointer());
  const Value base = address_of(m, 0), address = m.add(base, m.shl_by(word, kLog - 3));
  change_bit(m, kChange, {.address = address, .bits = kBits}, m.and_mask(at, kBits - 1));
}
template <Change kChange, unsigned kBits>
void bind_bit(Isa& isa, const char* op) {
  const std::string name = sized<kBits>(op);
  isa.bind(name + "rr", bit_in_register<kChange, false, kBits>);
  isa.bind(name + "ri8", bit_in_register<kChange, true, kBits>);
  isa.bind(name + "mr", register_in_memory<kChange, kBits>);
  isa.bind(name + "mi8", number_in_memory<kChange, kBits>);
}

// ---- counting

template <unsigned kBits>
Value source(Machine& m, bool memory) {
  return memory ? get(m, memory_at(m, 1, kBits)) : m.r(1);
}
// bsf and bsr: "If the content of the source operand is 0, the content of the
// destination operand is undefined", and all flags but zero are.
template <bool kForward, bool kMemory, unsigned kBits>
void scan(Machine& m) {
  const Value a = source<kBits>(m, kMemory), zero = m.equals(a, 0), unknown = m.undefined(kBits);
  Value at = m.unary(kForward ? Code::kTrailingZeros : Code::kLeadingZeros, a);
  if (!kForward) at = m.bit_xor(at, m.like(a, kBits - 1));
  m.w(0, m.select(zero, unknown, at));
  const Value no = m.undefined(1);
  put_flags(m, {.carry = no, .parity = no, .adjust = no, .zero = zero, .sign = no, .overflow = no});
}
// tzcnt and lzcnt: the carry says that the source is 0, zero that the count is.
template <Code kCode, bool kMemory, unsigned kBits>
void count_zeros(Machine& m) {
  const Value a = source<kBits>(m, kMemory), v = m.unary(kCode, a), none = m.equals(a, 0), no = m.undefined(1);
  m.w(0, v);
  put_flags(m, {.carry = none, .parity = no, .adjust = no, .zero = m.equals(v, 0), .sign = no, .overflow = no});
}
// "OF, SF, ZF, AF, CF, PF are all cleared. ZF is set if SRC = 0."
template <bool kMemory, unsigned kBits>
void count_ones(Machine& m) {
  const Value a = source<kBits>(m, kMemory), zero = m.equals(a, 0), no = m.constant(1, 0);
  m.w(0, m.unary(Code::kCountOnes, a));
  put_flags(m, {no, no, no, zero, no, no});
}

template <unsigned kBits>
void bind_size(Isa& isa) {
  bind_double<true, kBits>(isa, "SHLD");
  bind_double<false, kBits>(isa, "SHRD");
  bind_bit<Change::kNone, kBits>(isa, "BT");
  bind_bit<Change::kSet, kBits>(isa, "BTS");
  bind_bit<Change::kReset, kBits>(isa, "BTR");
  bind_bit<Change::kComplement, kBits>(isa, "BTC");
  isa.bind(sized<kBits>("BSF") + "rr", scan<true, false, kBits>);
  isa.bind(sized<kBits>("BSF") + "rm", scan<true, true, kBits>);
  isa.bind(sized<kBits>("BSR") + "rr", scan<false, false, kBits>);
  isa.bind(sized<kBits>("BSR") + "rm", scan<false, true, kBits>);
  isa.bind(sized<kBits>("TZCNT") + "rr", count_zeros<Code::kTrailingZeros, false, kBits>);
  isa.bind(sized<kBits>("TZCNT") + "rm", count_zeros<Code::kTrailingZeros, true, kBits>);
  isa.bind(sized<kBits>("LZCNT") + "rr", count_zeros<Code::kLeadingZeros, false, kBits>);
  isa.bind(sized<kBits>("LZCNT") + "rm", count_zeros<Code::kLeadingZeros, true, kBits>);
  isa.bind(sized<kBits>("POPCNT") + "rr", count_ones<false, kBits>);
  isa.bind(sized<kBits>("POPCNT") + "rm", count_ones<true, kBits>);
}

}  // namespace

void bind_bits(Isa& isa) {
  bind_shift<shift<Code::kShiftLeft>>(isa, "SHL");
  bind_shift<shift<Code::kShiftRight>>(isa, "SHR");
  bind_shift<shift<Code::kShiftRightSigned>>(isa, "SAR");
  bind_shift<rotate<true>>(isa, "ROL");
  bind_shift<rotate<false>>(isa, "ROR");
  bind_shift<rotate_carry<true>>(isa, "RCL");
  bind_shift<rotate_carry<false>>(isa, "RCR");
  bind_size<16>(isa);
  bind_size<32>(isa);
  bind_size<64>(isa);
}

}  // namespace assay::code::lift::x86
