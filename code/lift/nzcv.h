// The four flags that ARM and AArch64 share, and the sixteen conditions on them; when a sum overflows, for all CPUs.
// Source: ARM DDI 0487 (A-profile), AddWithCarry() and ConditionHolds() of the shared pseudocode.
#pragma once
#include "code/lift/machine.h"

namespace assay::code::lift {

struct Flags {
  Value n = 0, z = 0, c = 0, v = 0;
};
// The registers of the flags, in this order, one behind the other.
struct FlagRegisters {
  RegisterId n = 0, z = 0, c = 0, v = 0;
  static constexpr FlagRegisters at(RegisterId first) {
    return {first, static_cast<RegisterId>(first + 1), static_cast<RegisterId>(first + 2),
            static_cast<RegisterId>(first + 3)};
  }
};

struct Sum {
  Value value = 0;
  Flags flags;
};
// What an instruction would put into `to`, as far as somebody may read it: other flags are 0.
Sum add(Machine& m, const FlagRegisters& to, Value a, Value b);
// a - b: the carry is set where nothing is borrowed.
Sum subtract(Machine& m, const FlagRegisters& to, Value a, Value b);
// a + b + carry (one bit); a - b with a borrow is a + ~b + carry.
Sum add_with_carry(Machine& m, const FlagRegisters& to, Value a, Value b, Value carry, bool flags);

// Whether the signed sum (difference) of a and b does not fit: its sign differs from that of both terms (from a's,
// where the signs of a and b differ).
Value sum_overflow(Machine& m, Value a, Value b, Value sum);
Value difference_overflow(Machine& m, Value a, Value b, Value difference);

void put_flags(Machine& m, const FlagRegisters& to, const Flags& flags);
void put_sign_and_zero(Machine& m, const FlagRegisters& to, Value of);
// One bit, or 0 for the two codes that always hold.
Value condition(Machine& m, const FlagRegisters& flags, unsigned code);

// For Isa::flag_use: sets of flags, one bit each.
constexpr uint64_t bit_of(RegisterId flag) { return uint64_t{1} << flag; }
constexpr uint64_t all_of(const FlagRegisters& f) { return bit_of(f.n) | bit_of(f.z) | bit_of(f.c) | bit_of(f.v); }
// What condition() reads.
constexpr uint64_t read_by_condition(const FlagRegisters& f, unsigned code) {
  const uint64_t n = bit_of(f.n), z = bit_of(f.z), c = bit_of(f.c), v = bit_of(f.v);
  const uint64_t read[8] = {z, c, n, v, c | z, n | v, n | v | z, 0};
  return read[code >> 1 & 7];
}

}  // namespace assay::code::lift
