// What the parts of the ARM and Thumb lifter share. Data processing lies in arm_data.cc, memory in arm_memory.cc,
// control flow and registers in arm.cc, what is read and written of the flags in arm_flags.cc.
#pragma once
#include "code/lift/nzcv.h"

namespace assay::code::lift::arm {

// make_arm adds them in this order: r0 to r12, sp, lr, the flags, the reservation.
constexpr RegisterId kSp = 13, kLink = 14, kReserved = 19, kReservedAddress = 20;
constexpr FlagRegisters kFlags = FlagRegisters::at(15);

inline bool is_thumb(const Machine& m) { return code::is_thumb(m.isa().set->processor()); }
inline bool is_pc(const Machine& m, size_t operand) {
  return m.is_reg(operand) && m.slot(operand).kind == Slot::Kind::kCounter;
}
// What an address relative to the program counter counts from: "Align(PC, 4)".
inline uint64_t aligned_pc(const Machine& m) { return (m.address() + m.isa().counter_ahead) & ~uint64_t{3}; }
// Immediates with a sign: -0 is told from 0, though it is no other offset.
inline int64_t signed_imm(const Machine& m, size_t operand) {
  const auto v = static_cast<int32_t>(m.imm(operand));
  return v == INT32_MIN ? 0 : v;
}

// Goes on at `to`, whose bit 0 says Thumb. kReturn where the decoder took it for one.
void jump_to(Machine& m, Value to);
// The same where the instruction cannot change the mode.
void jump_within_mode(Machine& m, Value to);
// Writes a register, or goes on at `v` where it is the program counter.
void write(Machine& m, size_t operand, Value v, bool changes_mode);

enum class Shift : uint8_t { kNone, kArithmetic, kLeft, kRight, kRotate, kRotateCarry };  // LLVM's numbers
struct Shifted {
  Value value = 0;
  Value carry = 0;  // one bit; 0: the flag stays
};
// By a constant; 0 means 32 for shifts to the right.
Shifted shift_by(Machine& m, Value v, Shift shift, unsigned amount, bool carry);
// By the low byte of a register.
Shifted shift_by_register(Machine& m, Value v, Shift shift, Value amount, bool carry);

void bind_data(Isa& isa);
void bind_memory(Isa& isa);
void bind_flag_use(Isa& isa);

}  // namespace assay::code::lift::arm
