// From bytes to instructions, by LLVM's MC layer; its headers stay inside decode.cc and instruction_set.cc.
//
// A Decoder belongs to one thread. Thumb's IT blocks are state that LLVM keeps between calls: `restart` before decoding
// anywhere but behind the last instruction, or results depend on what was decoded before.
#pragma once
#include "code/insn.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::code {

// Opcodes and registers of one processor: names, what they read and write. Made on first use, then immutable and
// shared.
class InstructionSet {
 public:
  static const InstructionSet& of(Processor processor, Dialect dialect = Dialect::kUsual);

  Processor processor() const;
  uint32_t opcode_count() const;
  std::string_view opcode_name(uint32_t opcode) const;  // LLVM's: "ADDiu", "t2LDRi12", …
  std::optional<uint32_t> opcode_named(std::string_view name) const;
  uint32_t register_count() const;
  std::string_view register_name(uint32_t number) const;  // LLVM's: "SP", "X0", "GP_64"; number 0 is none
  uint32_t register_named(std::string_view name) const;   // 0: no such register
  uint16_t register_encoding(uint32_t number) const;      // the number that the instruction's bits hold
  bool overlap(uint32_t one, uint32_t other) const;       // al and rax, s0 and d0
  bool may_load(uint32_t opcode) const;
  bool may_store(uint32_t opcode) const;
  // How an opcode lists its operands.
  struct Layout {
    uint8_t written = 0;   // so many of the first are written
    int8_t optional = -1;  // ARM: written where it is no "none"
    int8_t list = -1;      // the first of a list that is written
    int8_t memory = -1;    // x86: the first of five operands that make an address
  };
  Layout layout(uint32_t opcode) const;
  // Registers written and read, explicit and implicit, as LLVM numbers; appended, possibly twice.
  void writes(const Insn& insn, std::vector<uint16_t>& out) const;
  void reads(const Insn& insn, std::vector<uint16_t>& out) const;
  std::string text(const Insn& insn) const;  // as an assembler would write it, one space between its parts

  struct Tables;  // code/mc.h
  const Tables& tables() const { return *tables_; }
  ~InstructionSet();
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;

 private:
  InstructionSet(Processor processor, Dialect dialect);
  std::unique_ptr<Tables> tables_;
};

class Decoder {
 public:
  // Of how many instructions it is remembered what their bytes came to, in bits: of a program, or of one function.
  static constexpr uint8_t kProgram = 14, kFunction = 8;
  explicit Decoder(Processor processor, Dialect dialect = Dialect::kUsual, uint8_t remembered = kProgram);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  const InstructionSet& set() const { return *set_; }
  // The instruction that starts with `code`'s first byte. False: no instruction; insn.size then says how far the next
  // could be (0 where `code` is empty).
  bool decode(std::span<const std::byte> code, uint64_t address, Insn& insn);
  // The same for who remembers by itself what bytes came to.
  bool decode_anew(std::span<const std::byte> code, uint64_t address, Insn& insn);
  // Makes of a decoded instruction what its bytes come to at another address.
  void move(Insn& insn, uint64_t address) const;
  void restart();
  // Whether the next instruction's meaning depends on one before.
  bool in_block() const;

 private:
  bool ask(std::span<const std::byte> code, Insn& insn);
  struct State;
  const InstructionSet* set_;
  std::unique_ptr<State> state_;
};

}  // namespace assay::code
