// Dead writes and dead values. Which registers are read again is found by the usual equations of liveness, block by
// block until nothing changes; the operations are walked three times whatever happens.
#include "code/simplify/block_sweep.h"
#include "code/simplify/blocks.h"
#include "code/simplify/ends.h"

namespace assay::code::ir {

Ends::Ends(const Function& f, const Options& o) {
  RegisterSet registers = RegisterSet::all();  // variables are nobody else's
  for (size_t v = 0; v < f.variables.size(); ++v) registers.remove(static_cast<unsigned>(f.file->registers.size() + v));
  trap = o.whole ? registers : all;
  call = o.whole ? registers.without(o.convention.lost_at_call) : all;
  give_back = o.whole ? registers.without(o.convention.lost_at_return) : all;
  if (o.whole) lost_at_call = o.convention.lost_at_call;
}

RegisterSet Ends::touched(const Function& f, const Op& op) const {
  const Effect& e = f.effects[op.a];
  if (e.leaves) return all;
  RegisterSet set;
  for (RegisterId r : f.reads(e)) set.add(r);
  for (RegisterId r : f.writes(e)) set.add(r);
  return set;
}

namespace {

constexpr int kMostRounds = 40;

class Sweeper {
 public:
  Sweeper(Function& f, const Options& o, Counters& counters)
      : f_(f), options_(o), counters_(counters), ends_(f, o), index_(f, o.convention.mode_bit) {}

  void all() {
    if (options_.whole) solve();
    Value to = 1;
    for (size_t i = 0; i < f_.blocks.size(); ++i) {
      Block& b = f_.blocks[i];
      const RegisterSet live = options_.whole ? live_at(next_of(i)) : ends_.all;
      sweep_.mark(f_, b, live, counters_, [this](Value, const Op& op, RegisterSet& at) { back_over(op, at); });
      to = sweep_.compact(f_, b, to);
    }
    f_.ops.resize(to);
  }

 private:
  // ---- what is read behind each block

  struct Exit {
    uint32_t to = 0, written = 0;  // written_: before it, in the block
  };
  struct Summary {
    RegisterSet live;               // at the block's beginning
    uint32_t first = 0, exits = 0;  // exits_
  };

  uint32_t block_behind(const Op& op) const {
    return op.code == Code::kJump && f_.ops[op.a].code == Code::kConst ? index_.at(constant(f_.ops[op.a])) : kNoBlock;
  }

  // It is mostly the one that stands behind.
  uint32_t next_of(size_t i) const {
    const uint64_t next = f_.blocks[i].next;
    if (i + 1 < f_.blocks.size() && f_.blocks[i + 1].address == next) return static_cast<uint32_t>(i + 1);
    return index_.at(next);
  }
  void summarise(size_t i, Summary& s) {
    const Block& b = f_.blocks[i];
    s.first = static_cast<uint32_t>(exits_.size());
    RegisterSet written;
    for (Value at = b.first; at < b.first + b.count; ++at) {
      const Op& op = f_.ops[at];
      if (step(op, s, written)) {
        s.exits = static_cast<uint32_t>(exits_.size()) - s.first;
        return;
      }
    }
    leave(next_of(i), ends_.all, s, written);
    s.exits = static_cast<uint32_t>(exits_.size()) - s.first;
  }
  void leave(uint32_t to, const RegisterSet& otherwise, Summary& s, const RegisterSet& written) {
    if (to == kNoBlock) {
      s.live |= otherwise.without(written);
      return;
    }
    // Most blocks leave at their end alone, in two ways.
    if (exits_.size() == s.first || !(written_.back() == written)) written_.push_back(written);
    exits_.push_back({to, static_cast<uint32_t>(written_.size() - 1)});
  }
  // Whether nothing behind it is reached.
  bool step(const Op& op, Summary& s, RegisterSet& written) {
    switch (op.code) {
      case Code::kGet:
        if (!written.has(op.a)) s.live.add(op.a);
        return false;
      case Code::kPut:
        written.add(op.a);
        return false;
      case Code::kJump:
      case Code::kReturn:
        leave(block_behind(op), ends_.behind(op), s, written);
        return op.c == 0;
      case Code::kCall:
      case Code::kTrap:
        s.live |= ends_.behind(op).without(written);
        if (op.code == Code::kCall && op.c == 0) written |= ends_.lost_at_call;
        return false;
      case Code::kOpaque: {
        s.live |= ends_.touched(f_, op).without(written);
        return false;
      }
      default:
        return false;
    }
  }
  void solve() {
    summaries_.resize(f_.blocks.size());
    written_.reserve(f_.blocks.size());
    exits_.reserve(f_.blocks.size() * 3 / 2);
    for (size_t i = 0; i < f_.blocks.size(); ++i) summarise(i, summaries_[i]);
    bool changed = true;
    for (int round = 0; changed && round < kMostRounds; ++round) {
      changed = false;
      for (size_t i = f_.blocks.size(); i-- > 0;) changed |= update(summaries_[i]);
    }
    if (!changed) return;
    ++counters_.budgets;
    for (Summary& s : summaries_) s.live = ends_.all;
  }
  bool update(Summary& s) const {
    RegisterSet live = s.live;
    for (uint32_t i = s.first; i < s.first + s.exits; ++i)
      live |= summaries_[exits_[i].to].live.without(written_[exits_[i].written]);
    if (live == s.live) return false;
    s.live = live;
    return true;
  }

  // ---- what is kept

  const RegisterSet& live_at(uint32_t block) const { return block == kNoBlock ? ends_.all : summaries_[block].live; }

  void back_over(const Op& op, RegisterSet& live) const {
    switch (op.code) {
      case Code::kJump:
      case Code::kReturn: {
        const uint32_t to = options_.whole ? block_behind(op) : kNoBlock;
        if (op.c == 0) live = RegisterSet();
        live |= to != kNoBlock ? summaries_[to].live : ends_.behind(op);
        return;
      }
      case Code::kCall:
      case Code::kTrap:
        if (op.code == Code::kCall && op.c == 0) live = live.without(ends_.lost_at_call);
        live |= ends_.behind(op);
        return;
      case Code::kOpaque:
        live |= ends_.touched(f_, op);
        return;
      default:
        return;
    }
  }

  Function& f_;
  const Options& options_;
  Counters& counters_;
  Ends ends_;
  BlockIndex index_;
  std::vector<Summary> summaries_;
  Array<Exit> exits_;
  Array<RegisterSet> written_;
  BlockSweep sweep_;
};

}  // namespace

void sweep(Function& f, const Options& options, Counters& counters) { Sweeper(f, options, counters).all(); }

void sweep_last_block(Function& f, BlockSweep& sweep, Counters& counters) {
  Block& b = f.blocks.back();
  sweep.mark(f, b, RegisterSet::all(), counters,
             [](Value, const Op&, RegisterSet& live) { live = RegisterSet::all(); });
  f.ops.resize(sweep.compact(f, b, b.first));
}

Value BlockSweep::move(Function& f, Value first, Value from, Value end, Value to) {
  const uint8_t* const kept = kept_.data();
  Value* const moved = moved_.data();
  Op* const ops = f.ops.data();
  for (Value at = from; at < end; ++at) {
    if (kept[at - first + 1] == 0) continue;
    Op op = ops[at];
    const uint8_t uses = shape(op.code).uses;
    if ((uses & 1) != 0) op.a = moved[place(first, op.a)];
    if ((uses & 2) != 0) op.b = moved[place(first, op.b)];
    if ((uses & 4) != 0) op.c = moved[place(first, op.c)];
    moved[at - first + 1] = to;
    ops[to++] = op;
  }
  return to;
}

Value BlockSweep::compact(Function& f, Block& b, Value to) {
  if (gone_ == 0 && to == b.first) return to + b.count;
  if (moved_.size() <= b.count) moved_.resize(b.count + size_t{1});
  const Value first = b.first, end = b.first + b.count;
  b.first = to;
  Value at = first;
  for (uint32_t m = b.mark; m < b.mark + b.marks; ++m) {
    const Value next = std::max(at, f.marks[m].op);
    to = move(f, first, at, next, to);
    at = next;
    f.marks[m].op = to;
  }
  to = move(f, first, at, end, to);
  b.count = to - b.first;
  return to;
}

}  // namespace assay::code::ir
