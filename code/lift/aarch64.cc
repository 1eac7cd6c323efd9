// AArch64: the base instruction set with LSE atomics. Vectors and floating point are opaque.
// Source: ARM DDI 0487 (Arm Architecture Reference Manual, A-profile), chapters C4 to C6. Operand order: that of LLVM's
// AArch64 target.
//
// Writing a W register clears the upper half. Pointer authentication in the hint space (paciasp, autiasp, …) is taken
// as what it is where the feature is absent: nothing. A return that authenticates is a return.
#include "code/lift/aarch64.h"

#include <array>
#include <string>

namespace assay::code::lift {

namespace aarch64 {
namespace {

// make_aarch64 adds them in this order: x0 to x30, sp, the flags, the reservation.
constexpr RegisterId kLink = 30, kSp = 31, kReserved = 36, kReservedAddress = 37;

// ---- second operands

enum class Form : uint8_t { kImmediate, kShifted, kExtended };

Value shifted(Machine& m, Value v, int64_t shift) {
  constexpr std::array<Code, 4> kCodes = {Code::kShiftLeft, Code::kShiftRight, Code::kShiftRightSigned,
                                          Code::kRotateRight};
  const auto amount = static_cast<uint64_t>(shift & 63);
  return amount == 0 ? v : m.binary(kCodes[static_cast<size_t>(shift >> 6) & 3], v, m.like(v, amount));
}
// Bits 3 to 5 say which part of the register and whether it has a sign, bits 0 to 2 by how much it is shifted.
Value extended(Machine& m, Value v, unsigned bits, int64_t extend) {
  const auto type = static_cast<unsigned>(extend >> 3) & 7;
  const Value part = m.truncate(v, std::min(8U << (type & 3), m.bits(v) + 0U));
  const Value wide = type >= 4 ? m.sign_extend(part, bits) : m.zero_extend(part, bits);
  return m.shl_by(m.truncate(wide, bits), static_cast<unsigned>(extend & 7));
}
template <Form kForm>
Value second(Machine& m, unsigned bits) {
  if constexpr (kForm == Form::kImmediate) return m.constant(bits, static_cast<uint64_t>(m.imm(2)) << (m.imm(3) & 63));
  if constexpr (kForm == Form::kShifted) return shifted(m, m.r(2), m.imm(3));
  if constexpr (kForm == Form::kExtended) return extended(m, m.r(2), bits, m.imm(3));
}

// ---- arithmetic

template <Form kForm, bool kSubtract>
void add_or_sub(Machine& m) {
  const Value a = m.r(1), b = second<kForm>(m, m.bits(a));
  m.w(0, kSubtract ? m.sub(a, b) : m.add(a, b));
}
template <Form kForm, bool kSubtract>
void add_or_sub_flags(Machine& m) {
  const Value a = m.r(1), b = second<kForm>(m, m.bits(a));
  const Sum s = kSubtract ? subtract(m, kFlags, a, b) : add(m, kFlags, a, b);
  m.w(0, s.value);
  put_flags(m, kFlags, s.flags);
}
template <bool kSubtract, bool kSetFlags>
void with_carry(Machine& m) {
  const Value a = m.r(1), b = m.r(2), other = kSubtract ? m.bit_not(b) : b;
  const Sum s = add_with_carry(m, kFlags, a, other, m.get(kFlags.c), kSetFlags);
  m.w(0, s.value);
  if (kSetFlags) put_flags(m, kFlags, s.flags);
}

// The number that N:immr:imms stands for: a run of ones, rotated, repeated over the register.
uint64_t bitmask(uint64_t encoded, unsigned bits) {
  const auto n = static_cast<unsigned>(encoded >> 12 & 1), r = static_cast<unsigned>(encoded >> 6 & 63);
  const auto s = static_cast<unsigned>(encoded & 63), sizes = n << 6 | (~s & 63);
  unsigned size = 64;
  while (size > 2 && (sizes & size) == 0) size /= 2;
  const unsigned rotate = r % size, ones = s % size + 1;
  const uint64_t run = ir::mask(ones);
  uint64_t element = rotate == 0 ? run : (run >> rotate | run << (size - rotate)) & ir::mask(size);
  for (unsigned have = size; have < 64; have *= 2) element |= element << have;
  return element & ir::mask(bits);
}
template <Form kForm>
Value logical_second(Machine& m, unsigned bits) {
  if constexpr (kForm == Form::kImmediate)
    return m.constant(bits, bitmask(static_cast<uint64_t>(m.imm(2)), bits));
  else
    return shifted(m, m.r(2), m.imm(3));
}
template <Code kCode, Form kForm, bool kInvert = false, bool kSetFlags = false>
void logical(Machine& m) {
  const Value a = m.r(1), b = logical_second<kForm>(m, m.bits(a));
  const Value v = m.binary(kCode, a, kInvert ? m.bit_not(b) : b);
  m.w(0, v);
  if (!kSetFlags) return;
  put_sign_and_zero(m, kFlags, v);
  if (m.wants(kFlags.c)) m.put(kFlags.c, m.constant(1, 0));
  if (m.wants(kFlags.v)) m.put(kFlags.v, m.constant(1, 0));
}

template <bool kInvert>
void move_wide(Machine& m) {
  const uint64_t v = static_cast<uint64_t>(m.imm(1)) << (m.imm(2) & 63);
  m.w(0, m.constant(m.slot(0).bits, kInvert ? ~v : v));
}
void move_keep(Machine& m) {
  const auto shift = static_cast<unsigned>(m.imm(3) & 63);
  const Value kept = m.and_mask(m.r(1), ~(uint64_t{0xffff} << shift));
  m.w(0, m.or_mask(kept, static_cast<uint64_t>(m.imm(2)) << shift));
}
void address_of(Machine& m) { m.w(0, m.constant(64, m.address() + static_cast<uint64_t>(m.imm(1)))); }
void page_of(Machine& m) {
  m.w(0, m.constant(64, (m.address() & ~uint64_t{0xfff}) + (static_cast<uint64_t>(m.imm(1)) << 12)));
}

template <Code kShift>
void shift_register(Machine& m) {
  const Value a = m.r(1), amount = m.and_mask(m.r(2), m.bits(a) - 1U);
  m.w(0, m.binary(kShift, a, amount));
}
template <Code kCode>
void two_registers(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, m.binary(kCode, a, b));
}
template <bool kSubtract>
void multiply_add(Machine& m) {
  const Value a = m.r(1), b = m.r(2), product = m.mul(a, b), to = m.r(3);
  m.w(0, kSubtract ? m.sub(to, product) : m.add(to, product));
}
template <bool kSigned, bool kSubtract>
void multiply_add_long(Machine& m) {
  const Value low_a = m.r(1), low_b = m.r(2);
  const Value a = kSigned ? m.sign_extend(low_a, 64) : m.zero_extend(low_a, 64);
  const Value b = kSigned ? m.sign_extend(low_b, 64) : m.zero_extend(low_b, 64);
  const Value product = m.mul(a, b), to = m.r(3);
  m.w(0, kSubtract ? m.sub(to, product) : m.add(to, product));
}

// ---- bits and bytes

template <Code kCode>
void one_register(Machine& m) {
  m.w(0, m.unary(kCode, m.r(1)));
}
void leading_signs(Machine& m) {
  const Value a = m.r(1), changes = m.shr_by(m.bit_xor(a, m.shl_by(a, 1)), 1);
  m.w(0, m.add_number(m.unary(Code::kLeadingZeros, changes), -1));
}
// The bytes of each part of kBits reversed: swap neighbours, then ever larger neighbours.
template <unsigned kBits>
void reverse_in_parts(Machine& m) {
  Value v = m.r(1);
  for (unsigned size = 8; size < kBits; size *= 2) {
    const uint64_t low = size == 8 ? 0x00ff00ff00ff00ff : 0x0000ffff0000ffff;
    const Value down = m.and_mask(m.shr_by(v, size), low), up = m.shl_by(m.and_mask(v, low), size);
    v = m.bit_or(down, up);
  }
  m.w(0, v);
}
// The field: bits [r, s] moved to the bottom, or bits [0, s] moved up to width - r.
struct Field {
  unsigned from = 0, width = 0, to = 0;
};
Field field_of(Machine& m, size_t operand, unsigned bits) {
  const auto r = static_cast<unsigned>(m.imm(operand)), s = static_cast<unsigned>(m.imm(operand + 1));
  return s >= r ? Field{r, s - r + 1, 0} : Field{0, s + 1, bits - r};
}
template <bool kSigned>
void extract_field(Machine& m) {
  const Value a = m.r(1);
  const Field f = field_of(m, 2, m.bits(a));
  const Value part = m.extract(a, f.from, f.width);
  m.w(0, m.shl_by(kSigned ? m.sign_extend(part, m.bits(a)) : m.zero_extend(part, m.bits(a)), f.to));
}
void insert_field(Machine& m) {
  const Value into = m.r(1), from = m.r(2);
  const Field f = field_of(m, 3, m.bits(into));
  const Value moved = m.shl_by(m.and_mask(m.shr_by(from, f.from), ir::mask(f.width)), f.to);
  const Value kept = m.and_mask(into, ~(ir::mask(f.width) << f.to));
  m.w(0, m.bit_or(kept, moved));
}
// The upper and the lower register as one, shifted down.
void extract_pair(Machine& m) {
  const Value high = m.r(1), low = m.r(2);
  const auto by = static_cast<unsigned>(m.imm(3));
  if (by == 0) return m.w(0, low);
  const Value down = m.shr_by(low, by), up = m.shl_by(high, m.bits(low) - by);
  m.w(0, m.bit_or(down, up));
}

// ---- conditions

Value holds(Machine& m, size_t operand) { return condition(m, kFlags, static_cast<unsigned>(m.imm(operand))); }

enum class Else : uint8_t { kSame, kPlusOne, kInverted, kNegated };
template <Else kElse>
void select(Machine& m) {
  const Value a = m.r(1), b = m.r(2), c = holds(m, 3);
  if (c == 0) return m.w(0, a);
  const Value other = kElse == Else::kSame       ? b
                      : kElse == Else::kPlusOne  ? m.add_number(b, 1)
                      : kElse == Else::kInverted ? m.bit_not(b)
                                                 : m.negate(b);
  m.w(0, m.select(c, a, other));
}
template <bool kNegative>
void compare_if(Machine& m) {
  const Value a = m.r(0), b = m.is_reg(1) ? m.r(1) : m.like(a, static_cast<uint64_t>(m.imm(1)));
  const Value c = holds(m, 3);
  const Sum s = kNegative ? add(m, kFlags, a, b) : subtract(m, kFlags, a, b);
  const auto other = static_cast<unsigned>(m.imm(2));
  const auto pick = [&](RegisterId to, Value flag, unsigned bit) {
    if (flag == 0) return;
    m.put(to, c == 0 ? flag : m.select(c, flag, m.constant(1, other >> bit & 1)));
  };
  pick(kFlags.n, s.flags.n, 3);
  pick(kFlags.z, s.flags.z, 2);
  pick(kFlags.c, s.flags.c, 1);
  pick(kFlags.v, s.flags.v, 0);
}

// ---- memory

struct Address {
  Value at = 0;
  Value back = 0;   // written to the base afterwards; 0: nothing
  size_t data = 0;  // operand that is loaded or stored
};
using Addressing = Address (*)(Machine&, unsigned bytes);

Value offset(Machine& m, Value base, int64_t by) { return by == 0 ? base : m.add_number(base, by); }

Address scaled(Machine& m, unsigned bytes) { return {.at = offset(m, m.r(1), m.imm(2) * bytes)}; }
Address unscaled(Machine& m, unsigned) { return {.at = offset(m, m.r(1), m.imm(2))}; }
Address base_only(Machine& m, unsigned) { return {.at = m.r(1)}; }
Address literal(Machine& m, unsigned) {
  return {.at = m.address_value(m.address() + static_cast<uint64_t>(m.imm(1)) * 4)};
}
// rt, base, index, whether the index has a sign, whether it counts elements.
Address indexed(Machine& m, unsigned bytes) {
  const Value base = m.r(1), index = m.r(2);
  const Value wide = m.imm(3) != 0 ? m.sign_extend(index, 64) : m.zero_extend(index, 64);
  return {.at = m.add(base, m.shl_by(wide, m.imm(4) != 0 ? static_cast<unsigned>(std::countr_zero(bytes)) : 0))};
}
Address before(Machine& m, unsigned) {
  const Value at = offset(m, m.r(2), m.imm(3));
  return {.at = at, .back = at, .data = 1};
}
Address after(Machine& m, unsigned) {
  const Value at = m.r(2);
  return {.at = at, .back = m.add_number(at, m.imm(3)), .data = 1};
}

void load_into(Machine& m, size_t operand, Value v, bool sign) {
  const unsigned bits = m.slot(operand).bits;
  m.w(operand, sign ? m.sign_extend(v, bits) : m.zero_extend(v, bits));
}
template <unsigned kBits, bool kSigned, Addressing kAddress>
void load(Machine& m) {
  const Address a = kAddress(m, kBits / 8);
  const Value v = m.load(kBits, m.order(), a.at);
  if (a.back != 0) m.w(0, a.back);
  load_into(m, a.data, v, kSigned);
}
template <unsigned kBits, Addressing kAddress>
void store(Machine& m) {
  const Address a = kAddress(m, kBits / 8);
  m.store(m.order(), a.at, m.r(a.data, kBits));
  if (a.back != 0) m.w(0, a.back);
}

enum class Write : uint8_t { kNone, kBefore, kAfter };
// Two registers, base, offset in elements; with the written base in front where there is one.
template <Write kWrite>
Address pair_address(Machine& m, unsigned bytes) {
  const size_t first = kWrite == Write::kNone ? 0 : 1;
  const Value base = m.r(first + 2), moved = offset(m, base, m.imm(first + 3) * bytes);
  return {.at = kWrite == Write::kAfter ? base : moved, .back = kWrite == Write::kNone ? 0 : moved, .data = first};
}
template <unsigned kBits, bool kSigned, Write kWrite>
void load_pair(Machine& m) {
  const Address a = pair_address<kWrite>(m, kBits / 8);
  const Value one = m.load(kBits, m.order(), a.at);
  const Value two = m.load(kBits, m.order(), m.add_number(a.at, kBits / 8));
  if (a.back != 0) m.w(0, a.back);
  load_into(m, a.data, one, kSigned);
  load_into(m, a.data + 1, two, kSigned);
}
template <unsigned kBits, Write kWrite>
void store_pair(Machine& m) {
  const Address a = pair_address<kWrite>(m, kBits / 8);
  const Value one = m.r(a.data, kBits), two = m.r(a.data + 1, kBits);
  m.store(m.order(), a.at, one);
  m.store(m.order(), m.add_number(a.at, kBits / 8), two);
  if (a.back != 0) m.w(0, a.back);
}

// ---- atomics

template <unsigned kBits>
void load_exclusive(Machine& m) {
  const Value address = m.r(1);
  load_into(m, 0, m.load(kBits, m.order(), address), false);
  m.put(kReservedAddress, address);
  m.put(kReserved, m.constant(1, 1));
}
// status, data, base: the status is 0 where it succeeded.
template <unsigned kBits>
void store_exclusive(Machine& m) {
  const Value v = m.r(1, kBits), address = m.r(2);
  const Value held = m.get(kReserved), same = m.equal(m.get(kReservedAddress), address);
  const Value success = m.bit_and(held, same);
  m.store(m.order(), address, v, success);
  m.w(0, m.zero_extend(m.bit_not(success), 32));
  m.put(kReserved, m.constant(1, 0));
}
void clear_exclusive(Machine& m) { m.put(kReserved, m.constant(1, 0)); }

enum class Change : uint8_t { kAdd, kClear, kXor, kSet, kMaxSigned, kMinSigned, kMaxUnsigned, kMinUnsigned, kSwap };
Value changed(Machine& m, Change change, Value old, Value by) {
  const auto smaller = [&](Code less, bool smallest) {
    const Value first = m.compare(less, old, by);
    return smallest ? m.select(first, old, by) : m.select(first, by, old);
  };
  switch (change) {
    case Change::kAdd:
      return m.add(old, by);
    case Change::kClear:
      return m.bit_and(old, m.bit_not(by));
    case Change::kXor:
      return m.bit_xor(old, by);
    case Change::kSet:
      return m.bit_or(old, by);
    case Change::kMaxSigned:
      return smaller(Code::kLessSigned, false);
    case Change::kMinSigned:
      return smaller(Code::kLessSigned, true);
    case Change::kMaxUnsigned:
      return smaller(Code::kLessUnsigned, false);
    case Change::kMinUnsigned:
      return smaller(Code::kLessUnsigned, true);
    default:
      return by;
  }
}
// old value (written), operand, base.
template <unsigned kBits, Change kChange>
void change_memory(Machine& m) {
  const Value by = m.r(1, kBits), address = m.r(2);
  const Value old = m.load(kBits, m.order(), address);
  m.store(m.order(), address, changed(m, kChange, old, by));
  load_into(m, 0, old, false);
}
// old value (written), expected, new, base.
template <unsigned kBits>
void compare_and_swap(Machine& m) {
  const Value expected = m.r(1, kBits), v = m.r(2, kBits), address = m.r(3);
  const Value old = m.load(kBits, m.order(), address);
  m.store(m.order(), address, v, m.equal(old, expected));
  load_into(m, 0, old, false);
}

// ---- control

Value target(Machine& m) { return m.address_value(m.insn().target); }
void link(Machine& m) { m.put(kLink, m.address_value(m.address() + 4)); }

void branch(Machine& m) { m.leave(Code::kJump, target(m)); }
void call(Machine& m) {
  link(m);
  if (!m.only_links()) m.leave(Code::kCall, target(m));
}
void branch_if(Machine& m) {
  const Value c = holds(m, 0);
  m.leave(Code::kJump, target(m), c);
}
template <Code kCompare>
void compare_and_branch(Machine& m) {
  const Value a = m.r(0), c = m.compare(kCompare, a, m.like(a, 0));
  m.leave(Code::kJump, target(m), c);
}
template <bool kSet>
void test_and_branch(Machine& m) {
  const Value bit = m.extract(m.r(0), static_cast<unsigned>(m.imm(1)), 1), c = kSet ? bit : m.bit_not(bit);
  m.leave(Code::kJump, target(m), c);
}
template <Code kCode>
void branch_register(Machine& m) {
  const Value to = m.r(0);
  if (kCode == Code::kCall) link(m);
  m.leave(kCode, to);
}
void return_authenticated(Machine& m) { m.leave(Code::kReturn, m.get(kLink)); }

void no_effect(Machine&) {}  // barriers, prefetches, hints: order and timing, no values

// ---- tables: names are put together where a family has many

constexpr Handler kHandlers[] = {
    {"ADR", address_of},
    {"ADRP", page_of},
    {"SMADDLrrr", multiply_add_long<true, false>},
    {"SMSUBLrrr", multiply_add_long<true, true>},
    {"UMADDLrrr", multiply_add_long<false, false>},
    {"UMSUBLrrr", multiply_add_long<false, true>},
    {"SMULHrr", two_registers<Code::kMultiplyHighSigned>},
    {"UMULHrr", two_registers<Code::kMultiplyHighUnsigned>},
    {"REVWr", one_register<Code::kReverseBytes>},
    {"REVXr", one_register<Code::kReverseBytes>},
    {"REV16Wr", reverse_in_parts<16>},
    {"REV16Xr", reverse_in_parts<16>},
    {"REV32Xr", reverse_in_parts<32>},
    {"LDRWl", load<32, false, literal>},
    {"LDRXl", load<64, false, literal>},
    {"LDRSWl", load<32, true, literal>},
    {"LDPWi", load_pair<32, false, Write::kNone>},
    {"LDPWpre", load_pair<32, false, Write::kBefore>},
    {"LDPWpost", load_pair<32, false, Write::kAfter>},
    {"LDPXi", load_pair<64, false, Write::kNone>},
    {"LDPXpre", load_pair<64, false, Write::kBefore>},
    {"LDPXpost", load_pair<64, false, Write::kAfter>},
    {"LDPSWi", load_pair<32, true, Write::kNone>},
    {"LDPSWpre", load_pair<32, true, Write::kBefore>},
    {"LDPSWpost", load_pair<32, true, Write::kAfter>},
    {"LDNPWi", load_pair<32, false, Write::kNone>},
    {"LDNPXi", load_pair<64, false, Write::kNone>},
    {"STPWi", store_pair<32, Write::kNone>},
    {"STPWpre", store_pair<32, Write::kBefore>},
    {"STPWpost", store_pair<32, Write::kAfter>},
    {"STPXi", store_pair<64, Write::kNone>},
    {"STPXpre", store_pair<64, Write::kBefore>},
    {"STPXpost", store_pair<64, Write::kAfter>},
    {"STNPWi", store_pair<32, Write::kNone>},
    {"STNPXi", store_pair<64, Write::kNone>},
    {"CLREX", clear_exclusive},
    {"B", branch},
    {"BL", call},
    {"Bcc", branch_if},
    {"BLR", branch_register<Code::kCall>},
    {"BR", branch_register<Code::kJump>},
    {"RET", branch_register<Code::kReturn>},
    {"RETAA", return_authenticated},
    {"RETAB", return_authenticated},
    {"CBZW", compare_and_branch<Code::kEqual>},
    {"CBZX", compare_and_branch<Code::kEqual>},
    {"CBNZW", compare_and_branch<Code::kNotEqual>},
    {"CBNZX", compare_and_branch<Code::kNotEqual>},
    {"TBZW", test_and_branch<false>},
    {"TBZX", test_and_branch<false>},
    {"TBNZW", test_and_branch<true>},
    {"TBNZX", test_and_branch<true>},
    {"SVC", [](Machine& m) { m.trap(Trap::kSystemCall); }},
    {"BRK", [](Machine& m) { m.trap(Trap::kBreakpoint); }},
    {"UDF", [](Machine& m) { m.trap(Trap::kUndefined); }},
    {"HINT", no_effect},
    {"PACIASP", no_effect},
    {"PACIBSP", no_effect},
    {"PACIAZ", no_effect},
    {"PACIBZ", no_effect},
    {"PACIA1716", no_effect},
    {"PACIB1716", no_effect},
    {"AUTIASP", no_effect},
    {"AUTIBSP", no_effect},
    {"AUTIAZ", no_effect},
    {"AUTIBZ", no_effect},
    {"AUTIA1716", no_effect},
    {"AUTIB1716", no_effect},
    {"DMB", no_effect},
    {"DSB", no_effect},
    {"ISB", no_effect},
    {"PRFMl", no_effect},
    {"PRFMui", no_effect},
    {"PRFUMi", no_effect},
    {"PRFMroX", no_effect},
    {"PRFMroW", no_effect},
};

// These exist as <name>W<rest> and <name>X<rest>.
constexpr Handler kBothWidths[] = {
    {"ADD?ri", add_or_sub<Form::kImmediate, false>},
    {"ADD?rs", add_or_sub<Form::kShifted, false>},
    {"ADD?rx", add_or_sub<Form::kExtended, false>},
    {"SUB?ri", add_or_sub<Form::kImmediate, true>},
    {"SUB?rs", add_or_sub<Form::kShifted, true>},
    {"SUB?rx", add_or_sub<Form::kExtended, true>},
    {"ADDS?ri", add_or_sub_flags<Form::kImmediate, false>},
    {"ADDS?rs", add_or_sub_flags<Form::kShifted, false>},
    {"ADDS?rx", add_or_sub_flags<Form::kExtended, false>},
    {"SUBS?ri", add_or_sub_flags<Form::kImmediate, true>},
    {"SUBS?rs", add_or_sub_flags<Form::kShifted, true>},
    {"SUBS?rx", add_or_sub_flags<Form::kExtended, true>},
    {"ADC?r", with_carry<false, false>},
    {"ADCS?r", with_carry<false, true>},
    {"SBC?r", with_carry<true, false>},
    {"SBCS?r", with_carry<true, true>},
    {"AND?ri", logical<Code::kAnd, Form::kImmediate>},
    {"AND?rs", logical<Code::kAnd, Form::kShifted>},
    {"ANDS?ri", logical<Code::kAnd, Form::kImmediate, false, true>},
    {"ANDS?rs", logical<Code::kAnd, Form::kShifted, false, true>},
    {"ORR?ri", logical<Code::kOr, Form::kImmediate>},
    {"ORR?rs", logical<Code::kOr, Form::kShifted>},
    {"EOR?ri", logical<Code::kXor, Form::kImmediate>},
    {"EOR?rs", logical<Code::kXor, Form::kShifted>},
    {"BIC?rs", logical<Code::kAnd, Form::kShifted, true>},
    {"BICS?rs", logical<Code::kAnd, Form::kShifted, true, true>},
    {"ORN?rs", logical<Code::kOr, Form::kShifted, true>},
    {"EON?rs", logical<Code::kXor, Form::kShifted, true>},
    {"MOVZ?i", move_wide<false>},
    {"MOVN?i", move_wide<true>},
    {"MOVK?i", move_keep},
    {"LSLV?r", shift_register<Code::kShiftLeft>},
    {"LSRV?r", shift_register<Code::kShiftRight>},
    {"ASRV?r", shift_register<Code::kShiftRightSigned>},
    {"RORV?r", shift_register<Code::kRotateRight>},
    {"UDIV?r", two_registers<Code::kDivideUnsigned>},
    {"SDIV?r", two_registers<Code::kDivideSigned>},
    {"MADD?rrr", multiply_add<false>},
    {"MSUB?rrr", multiply_add<true>},
    {"CLZ?r", one_register<Code::kLeadingZeros>},
    {"CLS?r", leading_signs},
    {"RBIT?r", one_register<Code::kReverseBits>},
    {"UBFM?ri", extract_field<false>},
    {"SBFM?ri", extract_field<true>},
    {"BFM?ri", insert_field},
    {"EXTR?rri", extract_pair},
    {"CSEL?r", select<Else::kSame>},
    {"CSINC?r", select<Else::kPlusOne>},
    {"CSINV?r", select<Else::kInverted>},
    {"CSNEG?r", select<Else::kNegated>},
    {"CCMP?i", compare_if<false>},
    {"CCMP?r", compare_if<false>},
    {"CCMN?i", compare_if<true>},
    {"CCMN?r", compare_if<true>},
};

void bind_both_widths(Isa& isa) {
  for (const Handler& h : kBothWidths) {
    std::string name(h.opcode);
    const size_t at = name.find('?');
    for (const char width : {'W', 'X'}) {
      name[at] = width;
      isa.bind(name, h.lift);
    }
  }
  for (const char* name : {"ADDXrx64", "ADDSXrx64"})
    isa.bind(name,
             name[3] == 'S' ? Lift(add_or_sub_flags<Form::kExtended, false>) : add_or_sub<Form::kExtended, false>);
  for (const char* name : {"SUBXrx64", "SUBSXrx64"})
    isa.bind(name, name[3] == 'S' ? Lift(add_or_sub_flags<Form::kExtended, true>) : add_or_sub<Form::kExtended, true>);
}

template <unsigned kBits, bool kSigned>
void bind_loads(Isa& isa, const std::string& data) {
  isa.bind("LDR" + data + "ui", load<kBits, kSigned, scaled>);
  isa.bind("LDR" + data + "roX", load<kBits, kSigned, indexed>);
  isa.bind("LDR" + data + "roW", load<kBits, kSigned, indexed>);
  isa.bind("LDR" + data + "pre", load<kBits, kSigned, before>);
  isa.bind("LDR" + data + "post", load<kBits, kSigned, after>);
  isa.bind("LDUR" + data + "i", load<kBits, kSigned, unscaled>);
  const bool twice = data == "BB" || data == "HH";
  isa.bind("LDTR" + (twice ? data.substr(1) : data) + "i", load<kBits, kSigned, unscaled>);
}
template <unsigned kBits>
void bind_stores(Isa& isa, const std::string& data) {
  isa.bind("STR" + data + "ui", store<kBits, scaled>);
  isa.bind("STR" + data + "roX", store<kBits, indexed>);
  isa.bind("STR" + data + "roW", store<kBits, indexed>);
  isa.bind("STR" + data + "pre", store<kBits, before>);
  isa.bind("STR" + data + "post", store<kBits, after>);
  isa.bind("STUR" + data + "i", store<kBits, unscaled>);
  const bool twice = data == "BB" || data == "HH";
  isa.bind("STTR" + (twice ? data.substr(1) : data) + "i", store<kBits, unscaled>);
}
template <unsigned kBits>
void bind_atomics(Isa& isa, const std::string& size) {
  for (const char* kind : {"LDXR", "LDAXR"}) isa.bind(kind + size, load_exclusive<kBits>);
  for (const char* kind : {"STXR", "STLXR"}) isa.bind(kind + size, store_exclusive<kBits>);
  for (const char* kind : {"LDAR", "LDAPR", "LDLAR"}) isa.bind(kind + size, load<kBits, false, base_only>);
  for (const char* kind : {"STLR", "STLLR"}) isa.bind(kind + size, store<kBits, base_only>);
  for (const char* order : {"", "A", "L", "AL"}) {
    const std::string rest = order + size;
    isa.bind("LDADD" + rest, change_memory<kBits, Change::kAdd>);
    isa.bind("LDCLR" + rest, change_memory<kBits, Change::kClear>);
    isa.bind("LDEOR" + rest, change_memory<kBits, Change::kXor>);
    isa.bind("LDSET" + rest, change_memory<kBits, Change::kSet>);
    isa.bind("LDSMAX" + rest, change_memory<kBits, Change::kMaxSigned>);
    isa.bind("LDSMIN" + rest, change_memory<kBits, Change::kMinSigned>);
    isa.bind("LDUMAX" + rest, change_memory<kBits, Change::kMaxUnsigned>);
    isa.bind("LDUMIN" + rest, change_memory<kBits, Change::kMinUnsigned>);
    isa.bind("SWP" + rest, change_memory<kBits, Change::kSwap>);
    isa.bind("CAS" + rest, compare_and_swap<kBits>);
  }
}

void bind_memory(Isa& isa) {
  bind_loads<8, false>(isa, "BB");
  bind_loads<16, false>(isa, "HH");
  bind_loads<32, false>(isa, "W");
  bind_loads<64, false>(isa, "X");
  for (const char* data : {"SBW", "SBX"}) bind_loads<8, true>(isa, data);
  for (const char* data : {"SHW", "SHX"}) bind_loads<16, true>(isa, data);
  bind_loads<32, true>(isa, "SW");
  bind_stores<8>(isa, "BB");
  bind_stores<16>(isa, "HH");
  bind_stores<32>(isa, "W");
  bind_stores<64>(isa, "X");
  bind_atomics<8>(isa, "B");
  bind_atomics<16>(isa, "H");
  bind_atomics<32>(isa, "W");
  bind_atomics<64>(isa, "X");
}

// ---- registers

void add_registers(ir::RegisterFile& file) {
  for (int i = 0; i < 31; ++i) file.add("x" + std::to_string(i), 64);
  file.add("sp", 64);
  for (const char* flag : {"n", "z", "c", "v"}) file.add(flag, 1);
  file.add("reserved", 1);
  file.add("reserved_address", 64);
  for (int i = 0; i < 32; ++i) file.add("v" + std::to_string(i), 0);
  for (int i = 0; i < 16; ++i) file.add("p" + std::to_string(i), 0);
  file.add("ffr", 0);
  file.add("za", 0);
}

// The number at name[at…], and where it ends; -1: none.
int number_at(std::string_view name, size_t& at) {
  int out = -1;
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9'; ++at) out = std::max(out, 0) * 10 + (name[at] - '0');
  return out;
}
// Tuples are named Q1_Q2_Q3: from the first so many; all of them where they go on at 0 again.
Slot tuple(RegisterId base, std::string_view name, int first, uint8_t all) {
  int count = 1;
  for (const char c : name) count += c == '_';
  if (first + count > all) return {.kind = Slot::Kind::kToken, .id = base, .count = all};
  return {
      .kind = Slot::Kind::kToken, .id = static_cast<RegisterId>(base + first), .count = static_cast<uint8_t>(count)};
}

Slot slot_of(std::string_view name, const ir::RegisterFile& file) {
  const auto plain = [](RegisterId id, uint8_t bits) -> Slot {
    return {.kind = Slot::Kind::kPlain, .id = id, .bits = bits};
  };
  if (name == "XZR" || name == "WZR")
    return {.kind = Slot::Kind::kZero, .bits = static_cast<uint8_t>(name[0] == 'X' ? 64 : 32)};
  if (name == "SP" || name == "WSP") return plain(kSp, name == "SP" ? 64 : 32);
  if (name == "FP" || name == "LR") return plain(name == "FP" ? 29 : kLink, 64);
  if (name == "NZCV") return {.kind = Slot::Kind::kFlags, .id = kFlags.n, .count = 4};
  if (name == "FFR") return {.kind = Slot::Kind::kToken, .id = file.find("ffr")};
  if (name.starts_with("ZA")) return {.kind = Slot::Kind::kToken, .id = file.find("za")};
  size_t at = 1;
  const int first = number_at(name, at);
  if (first < 0 || (at < name.size() && name[at] != '_')) return {};
  const std::string_view kinds = "BHSDQZ";
  if (kinds.find(name[0]) != std::string_view::npos) return tuple(file.find("v0"), name, first, 32);
  if (name[0] == 'P' && first < 16) return tuple(file.find("p0"), name, first, 16);
  if (name[0] != 'X' && name[0] != 'W') return {};
  if (at < name.size()) return tuple(0, name, first, 31);
  return plain(static_cast<RegisterId>(first), name[0] == 'X' ? 64 : 32);
}

}  // namespace
}  // namespace aarch64

Isa make_aarch64() {
  using namespace aarch64;
  Isa isa(Processor::kAArch64);
  isa.order = Order::kLittle;
  isa.pointer = 64;
  isa.widen = Widen::kZero;
  add_registers(isa.file);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : slot_of(isa.set->register_name(i), isa.file));
  isa.bind(kHandlers);
  bind_both_widths(isa);
  bind_memory(isa);
  bind_flag_use(isa);
  return isa;
}

}  // namespace assay::code::lift
