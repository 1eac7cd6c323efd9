#include "code/simplify/sweep.h"

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

void Ends::back_over(const Function& f, const Op& op, RegisterSet& live) const {
  if (op.code == Code::kOpaque) {
    live |= touched(f, op);
  } else if (op.code == Code::kCall && op.c == 0) {
    live = live.without(lost_at_call);
    live |= call;
  } else if (op.code == Code::kReturn && op.c == 0) {
    live = give_back;
  } else {
    live |= behind(op);
  }
}

namespace {

// All bits, or none: which of its words name values differs from operation to operation, and no branch depends on it.
constexpr Value all_if(unsigned bit) { return 0 - Value{bit}; }

constexpr int kMostRounds = 40;
constexpr uint32_t kNoExit = kNoBlock - 1;  // control does not leave that way

bool is_exit(const Function& f, const Block& b, Value at) {
  return at == b.first + b.count - 1 && f.ops[at].code == Code::kJump;
}

}  // namespace

// What Note says of a block, told from its end to its beginning.
template <unsigned kWords>
class SweepOf<kWords>::Noting {
 public:
  Noting(const SweepOf& sweep, const Block& b, Note& note) : f_(sweep.f_), ends_(sweep.ends_), block_(b), note_(note) {}

  void get(uint32_t r) { note_.live.add(r); }
  void put(uint32_t r) {
    note_.live.remove(r);
    note_.written.add(r);
    note_.waits |= open_;
  }
  void operator()(Value at, const Op& op, RegisterSet& live) {
    if (is_exit(f_, block_, at)) return;
    ends_.back_over(f_, op, live);
    RegisterSet before(note_.live);
    ends_.back_over(f_, op, before);
    note_.live = Set(before);
    if (op.code == Code::kCall && op.c == 0) note_.written |= Set(ends_.lost_at_call);
    open_ &= !says_of_all(op);
  }

 private:
  // Whether it reads or loses whatever there is, so that nothing before it depends on what is read behind the block.
  bool says_of_all(const Op& op) const {
    switch (op.code) {
      case Code::kReturn:
        return op.c == 0;
      case Code::kCall:
        return op.c == 0 && ends_.call.with(ends_.lost_at_call) == ends_.all;
      case Code::kTrap:
        return ends_.trap == ends_.all;
      case Code::kOpaque:
        return f_.effects[op.a].leaves;
      default:
        return true;
    }
  }

  const Function& f_;
  const Ends& ends_;
  const Block& block_;
  Note& note_;
  bool open_ = true;
};

template <unsigned kWords>
SweepOf<kWords>::SweepOf(Function& f, const Options& options, Counters& counters)
    : f_(f), options_(options), counters_(counters), ends_(f, options) {}

template <unsigned kWords>
void SweepOf<kWords>::block(Block& b) {
  Note note;
  sweep_.mark(f_, b, ends_.all, counters_, Noting(*this, b, note));
  sweep_.compact(f_, b, b.first);
  notes_.push_back(note);
}

template <unsigned kWords>
void SweepOf<kWords>::last_block() {
  Block& b = f_.blocks.back();
  block(b);
  f_.ops.resize(b.first + b.count);
}

template <unsigned kWords>
void SweepOf<kWords>::all() {
  if (options_.whole) {
    find_exits();
    solve();
  }
  Value to = 1;
  in_order_of_operations(f_, [&](size_t i) {
    Block& b = f_.blocks[i];
    const Note& note = notes_[i];
    if (!options_.whole || !note.waits || note.written.without(behind(note)).empty()) {
      to = shift(b, to);
      return;
    }
    const RegisterSet live = note.next == kNoExit ? RegisterSet() : RegisterSet(live_at(note.next));
    sweep_.mark(f_, b, live, counters_, [&](Value at, const Op& op, RegisterSet& here) {
      if (is_exit(f_, b, at))
        here |= RegisterSet(live_at(note.target));
      else
        ends_.back_over(f_, op, here);
    });
    to = sweep_.compact(f_, b, to);
  });
  f_.ops.resize(to);
  notes_ = {};
}

// ---- what is read behind each block

template <unsigned kWords>
void SweepOf<kWords>::find_exits() {
  const BlockIndex index(f_, options_.convention.mode_bit);
  for (size_t i = 0; i < f_.blocks.size(); ++i) {
    const Block& b = f_.blocks[i];
    Note& note = notes_[i];
    // It is mostly the one that stands behind.
    const bool follows = i + 1 < f_.blocks.size() && f_.blocks[i + 1].address == b.next;
    note.next = follows ? static_cast<uint32_t>(i + 1) : index.at(b.next);
    note.target = kNoExit;
    if (b.count == 0) continue;
    const Op& last = f_.ops[b.first + b.count - 1];
    if ((last.code == Code::kJump || last.code == Code::kReturn) && last.c == 0) note.next = kNoExit;
    if (last.code != Code::kJump) continue;
    const Op& to = f_.ops[last.a];
    note.target = to.code == Code::kConst ? index.at(constant(to)) : kNoBlock;
  }
}

template <unsigned kWords>
SweepOf<kWords>::Set SweepOf<kWords>::behind(const Note& note) const {
  Set out;
  if (note.next != kNoExit) out |= live_at(note.next);
  if (note.target != kNoExit) out |= live_at(note.target);
  return out;
}

template <unsigned kWords>
void SweepOf<kWords>::solve() {
  bool changed = true;
  for (int round = 0; changed && round < kMostRounds; ++round) {
    changed = false;
    for (size_t i = notes_.size(); i-- > 0;) changed |= update(notes_[i]);
  }
  if (!changed) return;
  ++counters_.budgets;
  for (Note& note : notes_) note.live = Set::all();
}

template <unsigned kWords>
bool SweepOf<kWords>::update(Note& note) const {
  const Set live = note.live.with(behind(note).without(note.written));
  if (live == note.live) return false;
  note.live = live;
  return true;
}

// ---- what is left

template <unsigned kWords>
Value SweepOf<kWords>::shift(Block& b, Value to) {
  const Value by = b.first - to, end = b.first + b.count;
  if (by == 0) return end;
  Op* const ops = f_.ops.data();
  for (Value at = b.first; at < end; ++at) {
    Op op = ops[at];
    const unsigned uses = shape(op.code).uses;
    op.a -= by & all_if(uses & 1);
    op.b -= by & all_if(uses >> 1 & 1);
    op.c -= by & all_if((uses >> 2 & 1) & (op.c != 0));
    ops[at - by] = op;
  }
  for (uint32_t m = b.mark; m < b.mark + b.marks; ++m) f_.marks[m].op -= by;
  b.first = to;
  return to + b.count;
}

template class SweepOf<2>;

void sweep(Function& f, const Options& options, Counters& counters) {
  SweepOf<4> all(f, options, counters);
  all.reserve(f.blocks.size());
  for (Block& b : f.blocks) all.block(b);
  all.all();
}

void sweep_last_block(Function& f, BlockSweep& sweep, Counters& counters) {
  Block& b = f.blocks.back();
  sweep.mark(f, b, RegisterSet::all(), counters,
             [](Value, const Op&, RegisterSet& live) { live = RegisterSet::all(); });
  f.ops.resize(sweep.compact(f, b, b.first));
}

Value BlockSweep::compact(Function& f, Block& b, Value to) {
  if (gone_ == 0 && to == b.first) return to + b.count;
  if (moved_.size() < b.count + size_t{2}) moved_.resize(b.count + size_t{2});
  const Value first = b.first, before = first - 1;
  const uint8_t* const kept = kept_.data() + 1;
  Value* const moved = moved_.data();
  Op* const ops = f.ops.data();
  b.first = to;
  for (uint32_t at = 0; at < b.count; ++at) {
    Op op = ops[first + at];
    const unsigned uses = shape(op.code).uses;
    op.a -= moved[(op.a - before) & all_if(uses & 1)];
    op.b -= moved[(op.b - before) & all_if(uses >> 1 & 1)];
    op.c -= moved[(op.c - before) & all_if((uses >> 2 & 1) & (op.c != 0))];
    moved[at + 1] = first + at - to;
    ops[to] = op;  // at its own place at most; what does not stay is written over
    to += kept[at];
  }
  moved[b.count + 1] = first + b.count - to;
  for (uint32_t m = b.mark; m < b.mark + b.marks; ++m) f.marks[m].op -= moved[f.marks[m].op - before];
  b.count = to - b.first;
  return to;
}

}  // namespace assay::code::ir
