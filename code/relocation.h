// Relocations of object files: what a record's type asks for, and how the bits of a field are read and written.
// Sources: the processor supplements of the System V ABI: MIPS (1996, and the N64 conventions), ARM (AAELF32), AArch64
// (AAELF64), Intel386, x86-64, PowerPC; RISC-V ELF psABI; numbers as in binutils include/elf/*.h.
#pragma once
#include "core/bytes.h"

#include <cstdint>
#include <optional>
#include <span>

namespace assay::code {

// S: the symbol's address; A: the addend; P: the field's address; G: the address of the symbol's word in the table of
// offsets, GOT: of the table; GP: MIPS's global pointer; page: the low 12 bits cleared.
enum class Formula : uint8_t {
  kNothing,        // changes no byte that matters here
  kAbsolute,       // S + A
  kRelative,       // S + A - P
  kFromTable,      // S + A - GOT
  kTable,          // GOT + A - P
  kOffset,         // G + A - GOT
  kEntry,          // G + A
  kEntryRelative,  // G + A - P
  kPages,          // page(S + A) - page(P)
  kEntryPages,     // page(G) - page(P)
  kFromPointer,    // S + A - GP
  kPointerOffset,  // G - GP
  kPagePointer,    // the same for the 64 KiB page of S + A
  kBackToPointer,  // GP - S - A
  kAdd,            // what the field holds + S + A
  kSubtract,       // what the field holds - S - A
  kLowOfOther,     // the low bits of what the record at S stated
};

enum class Field : uint8_t {
  kByte,
  kHalf,
  kWord,
  kLong,
  kMips26,       // jal: bits 2 to 27 of the target
  kMipsHigh,     // lui: rounded, for a signed low half; its addend needs the low half that follows
  kMipsLow,      // low 16 bits of an instruction
  kMipsHigher,   // bits 32 to 47, rounded
  kMipsHighest,  // bits 48 to 63, rounded
  kMips16,       // branch: signed, in words
  kArm24,        // b, bl: signed, in words, from 8 behind
  kArmMov,       // movw
  kArmMovTop,    // movt
  kArmPrel31,    // 31 bits
  kThumb24,      // bl, b.w
  kThumbMov,     // movw
  kThumbMovTop,  // movt
  kA64Branch26,
  kA64Branch19,
  kA64Branch14,
  kA64Adr,    // adr, adrp: 21 bits in two pieces
  kA64Imm12,  // add, ldr, str: low 12 bits, scaled
  kA64Mov,    // movz, movk: 16 bits
  kPpc24,
  kPpc14,
  kPpcLow,        // 16 bits
  kPpcHigh,       // bits 16 to 31
  kPpcHighRound,  // the same, for a signed low half
  kRvHigh,        // lui, auipc: rounded, for a signed low part of 12 bits
  kRvLow,         // 12 bits of addi, loads, jalr
  kRvLowStore,    // 12 bits of stores, in two pieces
  kRvBranch,
  kRvJal,
  kRvCall,  // auipc and jalr
  kRvcBranch,
  kRvcJump,
};

struct RelocationRecipe {
  uint32_t type = 0;  // R_<machine>_…
  Formula formula = Formula::kNothing;
  Field field = Field::kWord;
  uint8_t shift = 0;  // the value's bits below are left out
};

// nullptr: a type that is not applied.
const RelocationRecipe* recipe_of(uint16_t machine, uint32_t type);

uint32_t size_of(Field field);  // bytes

// What the field holds, as far as a record without an addend states one; of kMipsHigh the bits alone.
int64_t addend_in(Field field, uint8_t shift, std::span<const std::byte> at, Order order);
void put(Field field, uint8_t shift, uint64_t value, std::span<std::byte> at, Order order);

}  // namespace assay::code
