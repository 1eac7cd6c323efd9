// One decoded instruction: what it is, what it does to the flow of control, its operands. Plain data, no heap; analyses
// reuse one and keep what they need of it. Room for the operands of the longest is not filled in before.
#pragma once
#include "code/processor.h"

#include <array>

namespace assay::code {

constexpr uint64_t kNowhere = ~uint64_t{0};
constexpr uint8_t kAlways = 14;  // ARM's and AArch64's condition that always holds

// What happens after the instruction. Whether it happens at all may depend on a condition: Insn::conditional.
enum class Flow : uint8_t {
  kNone,          // the next instruction follows
  kJump,          // to Insn::target
  kCall,          // of Insn::target
  kReturn,        // to the caller
  kIndirectJump,  // to a register's or a memory word's value
  kIndirectCall,
  kSystemCall,  // to the kernel and back
  kTrap,        // ends here as far as the program is concerned: ud2, brk, break, unimp, hlt
};

struct Operand {
  enum Kind : uint8_t { kRegister, kImmediate, kOther };
  int64_t value;  // the number of a register (0: none) or an immediate
  Kind kind;
  bool is_register(uint32_t number) const { return kind == kRegister && value == static_cast<int64_t>(number); }
};

struct Insn {
  uint64_t address = 0;
  uint64_t target = kNowhere;  // of a direct jump or call
  uint16_t opcode = 0;         // InstructionSet::opcode_name
  uint8_t size = 0;
  Flow flow = Flow::kNone;
  bool conditional = false;     // it takes effect only if a condition holds: branches, and predicated ARM instructions
  uint8_t condition = kAlways;  // of predicated ARM instructions, as encoded
  bool delay_slot = false;      // the next instruction runs before control leaves
  bool likely = false;          // MIPS: the delay slot runs only if the branch is taken
  bool other_mode = false;      // the target is in the other mode: blx, jalx
  bool links = false;           // writes a return address although it is no call: bl to the next instruction
  bool unpredictable = false;   // the manual leaves the outcome open; still decoded
  uint16_t prefixes = 0;        // x86: lock, rep, …, for printing
  uint8_t operand_count = 0;
  std::array<Operand, 40> operands;  // in LLVM's order; the first operand_count are set

  uint64_t end() const { return address + size; }
  const Operand& operand(size_t i) const { return operands[i]; }
  // Register and immediate of operand `i`; 0 where there is no such operand.
  uint32_t reg(size_t i) const {
    return i < operand_count && operands[i].kind == Operand::kRegister ? static_cast<uint32_t>(operands[i].value) : 0;
  }
  int64_t imm(size_t i) const {
    return i < operand_count && operands[i].kind == Operand::kImmediate ? operands[i].value : 0;
  }
};

}  // namespace assay::code
