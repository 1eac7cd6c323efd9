// What the parts of the x86 and x86-64 lifter share. Arithmetic and logic lie
// in x86_arithmetic.cc, shifts and single bits in x86_bits.cc, moves, the stack
// and strings in x86_moves.cc, control flow and registers in x86.cc. Source of
// all: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2
// (instruction set reference), and volume 1, appendix A (what becomes of the
// flags). Operand order: that of LLVM's X86 target.
#pragma once
#include "code/lift/machine.h"

#include <algorithm>
#include <string>

namespace assay::code::lift::x86 {

// make_x86 adds them in this order; the general registers by the numbers of
// their encoding.
constexpr RegisterId kCarry = 0, kParity = 1, kAdjust = 2, kZero = 3, kSign = 4, kOverflow = 5, kDirection = 6;
constexpr RegisterId kFsBase = 7, kGsBase = 8, kGeneral = 9;
constexpr unsigned kA = 0, kC = 1, kD = 2, kB = 3, kSp = 4, kBp = 5;

// What the decoder says of prefixes (llvm/MC/MCInstrDesc, X86's IP_ flags).
constexpr uint16_t kAddressSize = 2, kRepeatNotEqual = 4, kRepeat = 8;

// The low bits of a general register.
constexpr Slot general(unsigned number, unsigned bits) {
  return {
      .kind = Slot::Kind::kPlain, .id = static_cast<RegisterId>(kGeneral + number), .bits = static_cast<uint8_t>(bits)};
}

// What an instruction puts into the flags; 0: the flag stays, or nobody wants it.
struct Flags {
  Value carry = 0, parity = 0, adjust = 0, zero = 0, sign = 0, overflow = 0;
};
void put_flags(Machine& m, const Flags& flags);
// Zero, sign and parity of a result, those that are wanted.
Flags flags_of(Machine& m, Value result);
// One of the sixteen conditions, by its code.
Value condition(Machine& m, unsigned code);

// The address that five operands from `i` make: base, scale, index,
// displacement, segment. `offset_of` leaves the segment out.
Value offset_of(Machine& m, size_t i);
Value address_of(Machine& m, size_t i);
Value with_segment(Machine& m, Value offset, size_t i);

// A register or a place in memory that is read, then perhaps written.
struct Place {
  size_t operand = 0;
  Value address = 0;  // 0: a register
  unsigned bits = 0;
};
Place register_at(const Machine& m, size_t operand);
Place memory_at(Machine& m, size_t operand, unsigned bits);
// The first operand: a register, or memory of that width.
Place first_place(Machine& m, bool memory, unsigned bits);
Value get(Machine& m, const Place& place);
void set(Machine& m, const Place& place, Value v);

// Sets the flags by a - b.
void compare(Machine& m, Value a, Value b);

void push(Machine& m, Value v);
Value pop(Machine& m, unsigned bits);

// The decoder's names hold the width: ADD32rr.
template <unsigned kBits>
std::string sized(const char* name) {
  return name + std::to_string(kBits);
}

void bind_arithmetic(Isa& isa);
void bind_bits(Isa& isa);
void bind_moves(Isa& isa);
void bind_flag_use(Isa& isa);  // x86_flags.cc

}  // namespace assay::code::lift::x86
