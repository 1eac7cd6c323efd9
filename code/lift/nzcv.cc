#include "code/lift/nzcv.h"

namespace assay::code::lift {

Value sum_overflow(Machine& m, Value a, Value b, Value sum) {
  const Value from_a = m.bit_xor(a, sum), from_b = m.bit_xor(b, sum);
  return m.sign_bit(m.bit_and(from_a, from_b));
}
Value difference_overflow(Machine& m, Value a, Value b, Value difference) {
  const Value signs = m.bit_xor(a, b), changed = m.bit_xor(a, difference);
  return m.sign_bit(m.bit_and(signs, changed));
}

namespace {

Value not_of(Machine& m, Value v, bool negate) { return negate ? m.bit_not(v) : v; }

}  // namespace

Sum add(Machine& m, const FlagRegisters& to, Value a, Value b) {
  Sum s{.value = m.add(a, b), .flags = {}};
  if (m.wants(to.n)) s.flags.n = m.sign_bit(s.value);
  if (m.wants(to.z)) s.flags.z = m.equals(s.value, 0);
  if (m.wants(to.c)) s.flags.c = m.less_unsigned(s.value, a);
  if (m.wants(to.v)) s.flags.v = sum_overflow(m, a, b, s.value);
  return s;
}

Sum subtract(Machine& m, const FlagRegisters& to, Value a, Value b) {
  Sum s{.value = m.sub(a, b), .flags = {}};
  if (m.wants(to.n)) s.flags.n = m.sign_bit(s.value);
  if (m.wants(to.z)) s.flags.z = m.equal(a, b);
  if (m.wants(to.c)) s.flags.c = m.compare(Code::kLessEqualUnsigned, b, a);
  if (m.wants(to.v)) s.flags.v = difference_overflow(m, a, b, s.value);
  return s;
}

Sum add_with_carry(Machine& m, const FlagRegisters& to, Value a, Value b, Value carry, bool flags) {
  const Value part = m.add(a, b);
  Sum s{.value = m.add(part, m.zero_extend(carry, m.bits(a))), .flags = {}};
  if (!flags) return s;
  if (m.wants(to.n)) s.flags.n = m.sign_bit(s.value);
  if (m.wants(to.z)) s.flags.z = m.equals(s.value, 0);
  if (m.wants(to.c)) {
    const Value first = m.less_unsigned(part, a), second = m.less_unsigned(s.value, part);
    s.flags.c = m.bit_or(first, second);
  }
  if (m.wants(to.v)) s.flags.v = sum_overflow(m, a, b, s.value);
  return s;
}

void put_flags(Machine& m, const FlagRegisters& to, const Flags& flags) {
  if (flags.n != 0) m.put(to.n, flags.n);
  if (flags.z != 0) m.put(to.z, flags.z);
  if (flags.c != 0) m.put(to.c, flags.c);
  if (flags.v != 0) m.put(to.v, flags.v);
}

void put_sign_and_zero(Machine& m, const FlagRegisters& to, Value of) {
  if (m.wants(to.n)) m.put(to.n, m.sign_bit(of));
  if (m.wants(to.z)) m.put(to.z, m.equals(of, 0));
}

Value condition(Machine& m, const FlagRegisters& flags, unsigned code) {
  const bool negate = (code & 1) != 0;
  switch (code >> 1) {
    case 0:
      return not_of(m, m.get(flags.z), negate);
    case 1:
      return not_of(m, m.get(flags.c), negate);
    case 2:
      return not_of(m, m.get(flags.n), negate);
    case 3:
      return not_of(m, m.get(flags.v), negate);
    case 4: {  // hi: carry and not zero
      const Value c = m.get(flags.c), other = m.bit_not(m.get(flags.z));
      return not_of(m, m.bit_and(c, other), negate);
    }
    case 5: {
      const Value n = m.get(flags.n), v = m.get(flags.v);
      return negate ? m.not_equal(n, v) : m.equal(n, v);
    }
    case 6: {  // gt: not zero and ge
      const Value n = m.get(flags.n), v = m.get(flags.v), same = m.equal(n, v);
      const Value other = m.bit_not(m.get(flags.z));
      return not_of(m, m.bit_and(other, same), negate);
    }
    default:
      return 0;
  }
}

}  // namespace assay::code::lift
