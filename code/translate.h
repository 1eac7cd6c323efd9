// From a decoded instruction to an Op: one table per processor, worked out on first use, then immutable and shared.
#pragma once
#include "code/decode.h"
#include "code/op.h"

#include <vector>

namespace assay::code {

struct Recipe;

class Translator {
 public:
  static const Translator& of(Processor processor, Dialect dialect);
  void translate(const Insn& insn, Op& op) const;
  Processor processor() const { return processor_; }
  Slot slots_used() const { return slots_used_; }  // no register has a slot from this one on
  Slot stack_pointer() const { return stack_pointer_; }
  Slot global_pointer() const { return global_pointer_; }  // kNoSlot where there is none
  uint64_t call_clobbers() const { return call_clobbers_; }
  const std::vector<Slot>& arguments() const { return arguments_; }  // registers of the first arguments of a call
  Slot system_call_number() const { return system_call_number_; }
  static constexpr uint64_t kFlagsBit = uint64_t{1} << 60;  // in masks of slots: the flags
  // The slots that a register, by LLVM's number, is or lies in.
  uint64_t mask_of(uint32_t number) const { return number < masks_.size() ? masks_[number] : 0; }
  // Names of recipes that no opcode bears: none, or a table is wrong.
  static std::vector<std::string_view> unknown_recipes(Processor processor);

 private:
  Translator(Processor processor, Dialect dialect);
  // How an opcode branches or where an indirect one finds its target.
  enum class Jump : uint8_t {
    kNo,
    kByFlagsX86,       // the condition is operand 1
    kByFlags,          // AArch64: operand 0
    kPredicate,        // ARM
    kRegisters,        // operands 0 and 1
    kRegisterAndZero,  // operand 0
    kPpc,
  };
  struct Row {
    std::string_view name;
    const Recipe* recipe = nullptr;
    uint64_t writes = 0;  // implicit
    InstructionSet::Layout layout;
    Jump jump{};
    Relation relation = Relation::kUnstated;
    bool padding = false;
    int8_t through = -1;
  };
  void name_slots();
  void set_jump(std::string_view name, Row& row) const;
  void set_calls();
  bool reads_second_byte(const Recipe& recipe, const Insn& insn) const;
  Slot slot(const Insn& insn, int operand) const;
  Slot written_slot(const Insn& insn, int operand) const;
  void apply(const Recipe& recipe, const Insn& insn, Op& op) const;
  void twist(const Recipe& recipe, const Insn& insn, Op& op) const;
  void twist_register(const Recipe& recipe, const Insn& insn, Op& op) const;
  void branch(const Row& row, const Insn& insn, Op& op) const;
  void ppc_branch(const Insn& insn, Op& op) const;
  void memory(const Row& row, const Insn& insn, Op& op) const;
  void special(const Insn& insn, std::string_view name, Op& op) const;

  Processor processor_;
  Family family_;
  bool thumb_ = false;
  const InstructionSet& set_;
  std::vector<Row> rows_;
  std::vector<Slot> slots_;             // by register number
  std::vector<uint64_t> masks_;         // by register number
  std::vector<uint32_t> fields_;        // PowerPC: the condition field a register is or lies in
  std::vector<uint32_t> second_bytes_;  // x86: registers
  std::vector<Slot> arguments_;
  Slot slots_used_ = 0;
  Slot stack_pointer_ = kNoSlot, global_pointer_ = kNoSlot, system_call_number_ = kNoSlot;
  uint64_t call_clobbers_ = 0, system_call_clobbers_ = 0;
};

}  // namespace assay::code
