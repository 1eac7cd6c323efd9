// Which operands of an opcode make what an Op says. One table per family of processors; names are LLVM 19's.
#pragma once
#include "code/op.h"

#include <span>
#include <string_view>

namespace assay::code {

// How the immediate operand is to be read, and what stands beside it.
enum class Twist : uint8_t {
  kPlain,
  kNegative,
  kTimes2,
  kTimes4,
  kTimes8,
  kTimes16,
  kHigh16,       // << 16, sign-extended from 32 bits
  kHigh20,       // << 12, likewise
  kSigned16,     // 16 bits, sign-extended
  kFromPc,       // + the instruction's address
  kPagesFromPc,  // AArch64: pages from the instruction's page
  kHigh20FromPc,
  kWordsFromPc,  // AArch64: * 4 + the instruction's address
  kArm,          // ARM's eight bits and a rotation
  kArmNegative,
  kArmFromPc,  // after the program counter as ARM and Thumb read it, word-aligned
  kTimes4FromPc,
  kArmNegate,  // ~ of kArm
  kShifted12,  // AArch64: the next operand is 0 or 12
  kMoveWide,   // AArch64: the next operand is a shift
  kMoveNot,
  kArmShift,    // b is shifted as ARM's so_reg says
  kThumbShift,  // b << operand
  kArmOffset,   // addressing mode 2: b shifted, or an offset
  kArmOffset3,  // addressing mode 3
  kA64Shift,
  kA64Extend,
  kA64Index,       // two operands: signed, scaled
  kA64Mask,        // a logical immediate
  kA64Field,       // two operands: immr and imms
  kPositionWidth,  // two operands
  kFieldLess1,     // two operands: position, width - 1
  kRotateMask,     // PowerPC: shift, first bit, last bit
  kInsert16,       // << 16
  kInsertShift,    // << the next operand
  kPlus32,         // MIPS dsll32
};

struct Recipe {
  std::string_view name;
  Do what = Do::kNothing;
  int8_t dst = -1, a = -1, b = -1, imm = -1;  // operands; stores: dst is what is stored
  Twist twist = Twist::kPlain;
  uint8_t width = 0;  // of memory or of what stays of a value, in bytes
  bool is_signed = false, half = false, sets_flags = false;
};

std::span<const Recipe> mips_recipes();
std::span<const Recipe> arm_recipes();
std::span<const Recipe> aarch64_recipes();
std::span<const Recipe> x86_recipes();
std::span<const Recipe> ppc_recipes();
std::span<const Recipe> riscv_recipes();

}  // namespace assay::code
