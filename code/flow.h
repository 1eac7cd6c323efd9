// What an opcode does to the flow of control, worked out once per opcode; what depends on operands is settled per
// instruction by `settle`. Not for use outside the decoder.
#pragma once
#include "code/insn.h"

namespace assay::code {

// What LLVM's tables say of an opcode.
struct OpcodeShape {
  std::string_view name;
  bool branch = false, call = false, returns = false, indirect = false, barrier = false, trap = false;
  bool delay_slot = false;
  bool defines = false;  // its first operand is a register that it writes
  int relative = -1;     // operand that LLVM types as relative to the program counter
  int predicate = -1;    // ARM: operand with the condition
  uint32_t operands = 0;
};

enum class Base : uint8_t { kAddress, kEnd, kArm, kThumb, kThumbAligned, kAbsolute, kMipsRegion, kMicroRegion };

// Opcodes whose effect depends on their operands.
enum class Special : uint8_t {
  kNo,
  kMipsSameRegisters,  // beq $0,$0; b
  kMipsLinkZero,       // bgezal $0: always
  kMipsJumpRegister,
  kMipsLinkRegister,  // jalr: operand 0 is written
  kArmWrites,         // a return, a jump or a switch where the destination is pc
  kArmMultiple,       // pc in a list of registers
  kArmBranchRegister,
  kAArchCondition,  // b.al
  kX86Interrupt,
  kPpcTrap,
  kPpcBranch,  // BO and BI as operands 0 and 1
  kRiscvJal,
  kRiscvJalr,
  kRiscvJumpRegister,
};

struct OpcodeFlow {
  Flow flow = Flow::kNone;
  bool conditional = false, delay_slot = false, likely = false, other_mode = false;
  int8_t target = -1;  // operand
  int8_t predicate = -1;
  uint8_t shift = 0;  // of the target operand
  Base base = Base::kAddress;
  Special special = Special::kNo;
};

// Registers by LLVM number that decide what a jump is.
struct FlowRegisters {
  uint32_t zero = 0, zero_wide = 0, link = 0, link_wide = 0, alternate_link = 0, pc = 0, sp = 0;
};

OpcodeFlow flow_of(Processor processor, const OpcodeShape& shape);
// Sets flow, conditional, target and the rest of `insn` from its opcode and operands.
void settle(const OpcodeFlow& opcode, const FlowRegisters& registers, Processor processor, Insn& insn);

}  // namespace assay::code
