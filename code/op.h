// An instruction as the reading of functions keeps it: 64 bytes, what it computes reduced to what addresses are made
// of. Everything else that it writes is forgotten, never kept as it was.
#pragma once
#include "code/insn.h"

namespace assay::code {

// Registers by one small number each: those the instruction's bits hold, and a few more.
using Slot = uint8_t;
constexpr Slot kCount = 32, kLink = 33;  // PowerPC: CTR and LR
constexpr Slot kSlots = 34;              // that have a value of their own
constexpr Slot kZeroSlot = 61, kProgramCounter = 62, kNoSlot = 63;

// Sets of slots that have a value of their own, one bit each; those from `from` to `to`.
constexpr uint64_t slot_bit(Slot slot) { return slot < kSlots ? uint64_t{1} << slot : 0; }
constexpr uint64_t slot_bits(Slot from, Slot to) {
  uint64_t mask = 0;
  for (Slot s = from; s <= to; ++s) mask |= slot_bit(s);
  return mask;
}

enum class Do : uint8_t {
  kNothing,
  kSet,            // dst = imm
  kPage,           // dst = imm, one part of an address: lui, adrp, auipc, lis
  kAdd,            // dst = a + (b << shift) + imm
  kSubtract,       // dst = a - (b << shift) - imm
  kAnd,            // dst = a & b, or & imm
  kOr,             // dst = a | b, or | imm
  kExclusive,      // dst = a ^ b: zero where both are one register
  kInsert,         // dst = a with 16 bits of imm at `shift`
  kShiftLeft,      // dst = a << shift
  kShiftRight,     // dst = a >> shift
  kField,          // dst = the low `width` bits of a >> shift, then << scale
  kNarrow,         // dst = the low `width` bytes of a; signed or not
  kLoad,           // dst = memory
  kStore,          // memory = c
  kTouch,          // memory is read or written, the value does not matter
  kPush,           // x86: c, or imm
  kPop,            // x86
  kCompare,        // flags = a with b, or with imm
  kCompareMemory,  // flags = memory with b, or with imm
  kLess,           // dst = a < b, or < imm
  kTableBranch,    // Thumb: pc + 2 * memory
  kLinkNext,       // dst, or the stack, = address of the next instruction
};

enum class Relation : uint8_t {
  kUnstated,
  kEqual,
  kNotEqual,
  kBelow,
  kBelowEqual,
  kAbove,
  kAboveEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};
Relation opposite(Relation relation);
Relation mirrored(Relation relation);  // a ? b as b ? a

struct Op {
  uint64_t address = 0, target = kNowhere;
  int64_t imm = 0;
  int64_t displacement = 0;  // of memory: base + (index << scale) + displacement
  uint64_t writes = 0;       // one bit a slot
  Do what = Do::kNothing;
  Flow flow = Flow::kNone;
  Slot dst = kNoSlot, a = kNoSlot, b = kNoSlot, c = kNoSlot;
  Slot base = kNoSlot, index = kNoSlot;
  Slot through = kNoSlot;  // the register an indirect jump or call takes
  uint8_t size = 0, shift = 0, scale = 0, width = 0;
  int8_t extend = 0;                        // b counts by its low bits, so many; negative: with their sign
  uint8_t flags = 0;                        // which flags a compare sets or a branch reads: PowerPC's condition field
  Relation relation = Relation::kUnstated;  // when a branch is taken, or a predicated instruction works
  bool compares = false;                    // the relation is between a and b (or imm), not of flags
  bool conditional : 1 = false, delay_slot : 1 = false, likely : 1 = false, other_mode : 1 = false;
  bool links : 1 = false, is_signed : 1 = false, half : 1 = false /* 32 of 64 bits */, has_memory : 1 = false;
  bool through_memory : 1 = false;  // an indirect jump or call takes a word of memory
  bool padding : 1 = false;         // does nothing
  bool sets_flags : 1 = false;      // beside its value: a subtraction that compares
  bool based : 1 = false;           // imm or displacement counts from the program counter
  bool forgets_flags : 1 = false;
  bool moves : 1 = false;  // a copy of a register, nothing added

  uint64_t end() const { return address + size; }
  bool operator==(const Op&) const = default;
  bool calls() const { return flow == Flow::kCall || flow == Flow::kIndirectCall; }
};
static_assert(sizeof(Op) == 64);

}  // namespace assay::code
