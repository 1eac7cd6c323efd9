// Dead writes and dead values of one block, and what is left of it moved together.
#pragma once
#include "code/simplify/simplify.h"

namespace assay::code::ir {

class BlockSweep {
 public:
  // What stays, given what is read behind the block. effect(value, op, live) turns what is read behind a jump, a call,
  // a trap or an opaque operation into what is read before it; effect.get(register), effect.put(register) where it has
  // them: of what stays.
  template <class Visit>
  void mark(const Function& f, const Block& b, RegisterSet live, Counters& counters, Visit effect) {
    kept_.assign(b.count + size_t{1}, 0);
    uint8_t* const kept = kept_.data();  // bytes may alias anything: what is not here is read again after each store
    const Value first = b.first;
    const Op* const ops = f.ops.data() + first;
    uint32_t gone = 0, writes = 0;
    for (uint32_t at = b.count; at-- > 0;) {
      const Op op = ops[at];
      if (op.code == Code::kPut) {
        if (!live.has(op.a)) {
          ++writes;
          continue;
        }
        live.remove(op.a);
        if constexpr (requires { effect.put(op.a); }) effect.put(op.a);
        kept[at + 1] = kept[place(first, op.b)] = 1;
        continue;
      }
      const Shape& s = shape(op.code);
      if (s.pure ? kept[at + 1] == 0 : op.code == Code::kNone) {
        ++gone;
        continue;
      }
      kept[at + 1] = 1;
      kept[(s.uses & 1) != 0 ? place(first, op.a) : 0] = 1;
      kept[(s.uses & 2) != 0 ? place(first, op.b) : 0] = 1;
      kept[(s.uses & 4) != 0 ? place(first, op.c) : 0] = 1;
      if (op.code == Code::kGet) {
        live.add(op.a);
        if constexpr (requires { effect.get(op.a); }) effect.get(op.a);
      } else if (op.code > Code::kStore) {
        effect(first + at, op, live);
      }
    }
    gone_ = gone + writes;
    counters.dead_values += gone, counters.dead_writes += writes;
  }

  bool keeps(Value v, Value first) const { return kept_[place(first, v)] != 0; }
  // Moves what is kept to `to`, where nothing else lies any more; returns where it ends.
  Value compact(Function& f, Block& b, Value to);

 private:
  // Where a value's entry lies; all that is none share the first.
  static uint32_t place(Value first, Value v) { return v == 0 ? 0 : v - first + 1; }
  std::vector<uint8_t> kept_;  // by place in the block, from 1 on
  std::vector<Value> moved_;   // likewise: by how much, and behind the last what comes next
  uint32_t gone_ = 0;          // operations that do not stay
};

// Sweeps the last block of a function as if it were all there is.
void sweep_last_block(Function& f, BlockSweep& sweep, Counters& counters);

}  // namespace assay::code::ir
