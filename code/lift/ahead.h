// Which flags are read behind an instruction. Flags are most of what x86 and ARM code makes and hardly any of it is
// read; what is not need not be lifted. Blocks are lifted from the last to the first, and what one that is lifted reads
// is known; in one that is not yet, where a loop goes back to, instructions are looked at one by one until each flag is
// read or written. Only blocks of the function are looked at, as when all of it is swept: else one would find dead what
// the other takes for read.
#pragma once
#include "code/lift/function.h"
#include "code/lift/machine.h"
#include "code/simplify/simplify.h"

namespace assay::code::lift {

class Ahead {
 public:
  using Set = uint64_t;  // of registers, one bit each
  static constexpr size_t kMost = 17;

  // `decoder` is left at no place that anything depends on.
  Ahead(const Isa& isa, const Shape& shape, const ir::Options& options, Decoder& decoder);

  bool looks() const { return flags_ != 0; }
  Set flags() const { return flags_; }
  // Of each of some instructions that follow one another, kMost at most, the flags that somebody may read behind it.
  // `all`: behind the last anything may be read. False: all of them, because none writes any.
  bool wanted(std::span<const Insn> insns, bool all, std::span<Set> out);
  // What nobody reads behind the last instruction of a block.
  Set lost_behind(const Insn& last);
  // The block there is lifted: nobody reads `lost` of the flags from there on.
  void lifted(uint64_t address, Set lost);
  // Whether one of Thumb's conditional blocks may reach over that address.
  bool inside(uint64_t address) const;

 private:
  struct Range {
    uint64_t begin = 0;
    uint32_t size = 0;
    bool lifted = false;
    uint16_t lost = 0;  // where it is lifted; from the first flag on
    bool has(uint64_t address) const { return address - begin < size; }
  };
  Range* block_at(uint64_t address);  // nullptr: none begins there
  Set lost_at(uint64_t address);      // the flags that nobody reads from there on, where a block begins
  Set lost_in(const Range& block) const { return Set{block.lost} << first_; }
  Set look(const Range* block);
  Set lost_where_control_leaves(const Insn& insn) const;
  Set among(const ir::RegisterSet& registers) const { return registers.word(0) & flags_; }

  const Isa& isa_;
  const Program& program_;
  Decoder& decoder_;
  std::vector<Range> blocks_;  // by address
  size_t last_ = SIZE_MAX;     // the one lifted last: mostly the one behind that which is lifted next
  Set flags_ = 0, lost_at_call_ = 0, lost_at_return_ = 0;
  int first_ = 0;  // of the flags
  std::array<FlagUse, kMost> uses_;
  Insn insn_;
};

}  // namespace assay::code::lift
