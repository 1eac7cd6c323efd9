// Which flags are read behind a block: the instructions that follow are looked at one by one until each flag is read or
// written, by what the instruction set says of them (Isa::flag_use). Flags are most of what x86 code
// makes and hardly any of it is read; what is not need not be lifted. Only blocks of the function
// are looked at, as when all of it is swept: else one would find dead what the other takes for
// read.
#pragma once
#include "code/lift/function.h"
#include "code/lift/machine.h"
#include "code/simplify/simplify.h"

namespace assay::code::lift {

class Ahead {
 public:
  // `decoder` is left as it was, at no place that anything depends on.
  Ahead(const Isa& isa, const Shape& shape, const ir::Options& options, Decoder& decoder);

  bool looks() const { return flags_ != 0; }
  // Of each instruction the flags that somebody may read behind it.
  void wanted(std::span<const Insn> insns, std::span<uint64_t> out);

 private:
  using Set = uint64_t;  // of registers, one bit each
  struct Known {
    uint64_t address = kNowhere;
    Set lost = 0;
  };
  struct Look {
    Set open = 0, lost = 0;  // flags of which nothing is known yet; those that nobody reads
    void reads(Set flags) { open &= ~flags; }
    void loses(Set flags) {
      lost |= open & flags;
      open &= ~flags;
    }
  };

  struct Range {
    uint64_t begin = 0, end = 0;
  };
  const Range* block_with(uint64_t address) const;  // nullptr: none
  bool begins_block(uint64_t address) const;
  Set lost_at(uint64_t address);  // the flags that nobody reads from there on
  Set look(uint64_t address);
  Set lost_behind(const Insn& last);
  uint64_t over(Look& to) const;  // the instruction; where control goes on, 0: behind it, or nowhere
  Set flag(uint32_t r) const { return r < 64 ? flags_ & Set{1} << r : 0; }
  Set among(const ir::RegisterSet& registers) const;

  const Isa& isa_;
  const Program& program_;
  std::vector<Range> blocks_;  // by address
  Decoder& decoder_;
  Set flags_ = 0, lost_at_call_ = 0, lost_at_return_ = 0;
  Insn insn_;
  std::array<Known, 64> known_;
};

}  // namespace assay::code::lift
