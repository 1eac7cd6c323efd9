// Dead writes and dead values of a whole function. Which registers are read again is found by the usual equations of
// liveness over the blocks; what a block reads and writes is noted while it is swept for itself, so that most blocks
// need not be looked at again. Of a jump in the middle of a block, where no lifter leaves one, is not known what it
// leads to.
#pragma once
#include "code/simplify/block_sweep.h"
#include "code/simplify/blocks.h"
#include "code/simplify/ends.h"

namespace assay::code::ir {

// Of the first 64 * kWords registers: those of values have room in two words on every CPU, stack slots that became
// variables in RegisterSet's.
template <unsigned kWords>
class SweepOf {
 public:
  SweepOf(Function& f, const Options& options, Counters& counters);

  void reserve(size_t blocks) { notes_.reserve(blocks); }
  // Sweeps a block as if everything were read behind it, where it lies, and notes what it reads and writes: in the
  // order of the blocks.
  void block(Block& b);
  void last_block();
  // All of the function, whose blocks were swept one by one.
  void all();
  // What a block that is swept reads of what was there before it, and what it writes: of the first 64 registers, one
  // bit each.
  struct Alone {
    uint64_t read = 0, written = 0;
  };
  Alone alone(size_t block) const { return {notes_[block].live.word(0), notes_[block].written.word(0)}; }
  // The function's blocks from `first` on were put into the opposite order.
  void turn(size_t first) { std::reverse(notes_.begin() + first, notes_.end()); }

 private:
  using Set = RegisterSetOf<kWords>;
  struct Note {
    Set live;     // read of what was there before the block; in the end that too which is read behind it
    Set written;  // what is written, or lost, before the block's end
    uint32_t next = 0, target = 0;
    bool waits = false;  // writes something that is only read if it is read behind the block
  };
  class Noting;

  void find_exits();
  void solve();
  bool update(Note& note) const;
  Set behind(const Note& note) const;
  Set live_at(uint32_t block) const { return block == kNoBlock ? Set::all() : notes_[block].live; }
  Value shift(Block& b, Value to);

  Function& f_;
  const Options& options_;
  Counters& counters_;
  Ends ends_;
  Array<Note> notes_;
  BlockSweep sweep_;
};

}  // namespace assay::code::ir
