// Dead writes and dead values of one block, and what is left of it moved together.
#pragma once
#include "code/simplify/simplify.h"

namespace assay::code::ir {

class BlockSweep {
 public:
  // What stays, given what is read behind the block. effect(op, live) turns what is read behind a jump, a call, a trap
  // or an opaque operation into what is read before it.
  template <class Effect>
  void mark(const Function& f, const Block& b, RegisterSet live, Counters& counters, Effect effect) {
    kept_.assign(b.count, 0);
    for (Value at = b.first + b.count; at-- > b.first;) {
      const Op& op = f.ops[at];
      if (op.code == Code::kNone) continue;
      uint8_t& kept = kept_[at - b.first];
      kept |= static_cast<uint8_t>(op.code == Code::kPut ? live.has(op.a) : effective(op));
      if (!kept) {
        ++(op.code == Code::kPut ? counters.dead_writes : counters.dead_values);
        continue;
      }
      use(b, op);
      if (op.code == Code::kGet)
        live.add(op.a);
      else if (op.code == Code::kPut)
        live.remove(op.a);
      else if (op.code > Code::kStore)
        effect(op, live);
    }
  }

  // Moves what is kept to `to`, where nothing else lies any more; returns where it ends.
  Value compact(Function& f, Block& b, Value to);

 private:
  static bool effective(const Op& op) { return !shape(op.code).pure && op.code != Code::kNone; }
  void use(const Block& b, const Op& op) {
    for_values(op, [&](Value v) { kept_[v - b.first] = 1; });
  }

  std::vector<uint8_t> kept_;
  std::vector<Value> moved_;
};

// Sweeps the last block of a function as if it were all there is.
void sweep_last_block(Function& f, BlockSweep& sweep, Counters& counters);

}  // namespace assay::code::ir
