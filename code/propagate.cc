// Carries what registers and the stack hold along the edges until nothing changes. Loops settle one after the other:
// what lies in none, and what follows one that settled, is gone through once, and what it does is taken down on the
// way.
#include "code/pass.h"

#include <ranges>

namespace assay::code {
namespace {

constexpr int kMostTurns = 12;           // before all that a loop may change is forgotten
constexpr uint32_t kMostStates = 20000;  // blocks that are kept with a state of their own

}  // namespace

// i386: `mov (%esp), %reg; ret` tells where it was called from.
Slot Pass::thunk(uint64_t target) const {
  if (processor_ != Processor::kX86) return kNoSlot;
  const Area* area = program_.code_at(target);
  const Bytes b = area ? area->bytes.head(4, target - area->address) : Bytes();
  if (b.size() < 4 || b[0] != 0x8b || (b[1] & 0xc7) != 0x04 || b[2] != 0x24 || b[3] != 0xc3) return kNoSlot;
  return static_cast<Slot>(b[1] >> 3 & 7);
}

void Pass::after_call(const Op& op, uint32_t mark, State& state) {
  const Slot slot = op.flow == Flow::kCall ? thunk(op.target) : kNoSlot;
  if (slot != kNoSlot) {
    state.slots[slot] = {.add = op.end(), .origin = Origin::kAddress};
    return;
  }
  machine_.call(mark, state);
  if (std::ranges::binary_search(doubted_, op.address)) state.doubtful = true;
}

// What holds at the end of a block, sent along one edge. What holds only should a call come back that does not says
// nothing where another way leads too.
void Pass::send(uint32_t from, uint32_t to, const State& state) {
  if (rank_[to] <= rank_[from]) return send_back(to, state);
  State& into = work_.states[to];
  if (!std::exchange(reached_[to], uint8_t{1}))
    into = state;
  else if (into.doubtful == state.doubtful)
    Machine::join(into, state, to);
  else if (into.doubtful)
    into = state;
}

void Pass::forget_unbounded(Head& head) {
  std::erase_if(head.bounds, [](const SlotInterval& known) { return known.slot == kNoSlot; });
}

// Backwards, it may only show that a register or a word does not hold at the loop's head what it held on the way in: it
// is forgotten there, and all from there on begins again.
void Pass::send_back(uint32_t to, const State& state) {
  const State& into = work_.states[to];
  if (state.doubtful && !into.doubtful) return;
  Head& head = heads_[head_of_[to]];
  const auto change = [&] { changed_ = std::min(changed_, rank_[to]); };
  for (Slot i = 0; i < into.used; ++i) {
    if ((head.lost >> i & 1) != 0 || into.slots[i] == state.slots[i]) continue;
    head.lost |= uint64_t{1} << i, change();
    const auto one = Machine::compared(into, into.slots[i]), other = Machine::compared(state, state.slots[i]);
    if (one && other) head.bounds.push_back({i, one->with(*other)});
  }
  // What was put between bounds may turn out to lie outside once, and is then taken to be anything.
  for (SlotInterval& known : head.bounds) {
    const auto in = Machine::compared(state, state.slots[known.slot]);
    if (in && known.in.holds(*in)) continue;
    change();
    if (in && !std::exchange(known.widened, true))
      known.in = known.in.with(*in);
    else
      known.slot = kNoSlot;
  }
  forget_unbounded(head);
  for (uint8_t i = 0; i < into.saved; ++i) {
    if (state.holds(into.memory[i], i)) continue;
    head.words.push_back(into.memory[i].address);
    change();
  }
}

// The head of a loop is entered with what no turn of the loop changes.
void Pass::enter(uint32_t piece) {
  if (head_of_[piece] == kNone) return;
  Head& head = heads_[head_of_[piece]];
  State& state = work_.states[piece];
  for (SlotInterval& known : head.bounds) {
    const auto in = Machine::compared(state, state.slots[known.slot]);
    if (in)
      known.in = known.in.with(*in);
    else
      known.slot = kNoSlot;
  }
  forget_unbounded(head);
  Machine::forget(state, head.lost, head.words, head.bounds, piece);
}

// Steps through a block and sends what comes out to blocks of the ranks [first, last). The last time it is in its own
// state, which nobody asks for any more, and taking down what the block does where that is known to be final. On trial
// it is as if it were the last time, and what comes out is sent beyond `last` too.
void Pass::visit(uint32_t piece, uint32_t first, uint32_t last, Visit how) {
  State& state = how == Visit::kLast && sees_ ? work_.states[piece] : work_.state;
  if (&state == &work_.state) state = work_.states[piece];
  const Block& b = out_.blocks[piece];
  const uint32_t control = work_.pieces[piece].control;
  const bool branches = control != kNone && (work_.ops[control].conditional || work_.ops[control].likely);
  State* taken = branches ? &work_.taken : nullptr;
  if (how != Visit::kPassing && sees_)
    see_block(piece, state, taken);
  else
    walk(piece, state, taken, [](const Op&, const State&) {});
  for (uint32_t e = b.first_edge; e < b.first_edge + b.edges; ++e) {
    const Edge& edge = out_.edges[e];
    const bool beyond = how == Visit::kTrial && rank_[edge.to] >= last;
    if (beyond) keep(edge.to);
    if (beyond || (rank_[edge.to] >= first && rank_[edge.to] < last))
      send(piece, edge.to, branches && edge.way != Way::kNext ? work_.taken : state);
  }
}

// What holds at a block behind the loop that is tried, before the first is sent there.
void Pass::keep(uint32_t piece) {
  auto& [number, by, fresh, held] = work_.trial;
  if (std::exchange(by[piece], number) == number) return;
  if (reached_[piece])
    held.emplace_back(piece, work_.states[piece]);
  else
    fresh.push_back(piece);
}

void Pass::take_back() {
  for (const uint32_t piece : work_.trial.fresh) reached_[piece] = 0;
  for (const auto& [piece, state] : work_.trial.held) work_.states[piece] = state;
}

bool Pass::leads_to(uint32_t piece, uint32_t first, uint32_t last) const {
  const Block& b = out_.blocks[piece];
  return std::ranges::any_of(std::span(out_.edges).subspan(b.first_edge, b.edges),
                             [&](const Edge& e) { return rank_[e.to] >= first && rank_[e.to] < last; });
}

// Reverse postorder, blocks of a loop side by side: a block comes after all that lead to it, loops aside. Loops that
// hold each other are one (R. Tarjan, Depth-first search and linear graph algorithms, 1972: strong components).
void Pass::order_blocks(uint32_t entry) {
  const size_t count = out_.blocks.size();
  auto& [stack, open, number, low, part, ends] = work_.search;
  order_.clear(), heads_.clear(), open.clear(), ends.clear();
  rank_.assign(count, kNone), head_of_.assign(count, kNone);
  number.assign(count, 0), low.resize(count), part.assign(count, kNone);
  uint32_t met = 0;
  const auto meet = [&](uint32_t block) {
    number[block] = low[block] = ++met;
    open.push_back(block);
    stack.emplace_back(block, 0);
  };
  stack.clear();
  meet(entry);
  while (!stack.empty()) {
    auto& [block, done] = stack.back();
    const Block& b = out_.blocks[block];
    if (done < b.edges) {
      const uint32_t to = out_.edges[b.first_edge + done++].to;
      if (number[to] == 0)
        meet(to);
      else if (part[to] == kNone)
        low[block] = std::min(low[block], number[to]);
      continue;
    }
    const uint32_t finished = block;
    order_.push_back(finished);
    stack.pop_back();
    if (!stack.empty()) low[stack.back().first] = std::min(low[stack.back().first], low[finished]);
    if (low[finished] != number[finished]) continue;
    uint32_t size = 0, last = kNone;
    while (last != finished) {
      last = open.back();
      open.pop_back();
      part[last] = static_cast<uint32_t>(ends.size());
      ++size;
    }
    ends.push_back(size);
  }
  // Parts were found the last first: from sizes to where each begins, and as its blocks come, ends.
  uint32_t before = 0;
  for (uint32_t& end : ends | std::views::reverse) before += std::exchange(end, before);
  for (const uint32_t block : order_ | std::views::reverse) rank_[block] = ends[part[block]]++;
  for (const uint32_t block : order_) low[rank_[block]] = block;
  std::copy_n(low.begin(), order_.size(), order_.begin());
  for (const uint32_t i : order_)
    for (uint32_t e = 0; e < out_.blocks[i].edges; ++e)
      if (const uint32_t to = out_.edges[out_.blocks[i].first_edge + e].to;
          rank_[to] <= rank_[i] && head_of_[to] == kNone)
        head_of_[to] = static_cast<uint32_t>(heads_.size()), heads_.emplace_back();
}

// Every block is entered with nothing known.
void Pass::give_up_values() {
  values_ = sees_ = false;
  out_.incomplete = true;
  reached_.assign(out_.blocks.size(), 1);
}

// The blocks of the ranks [from, end), which lead to each other. The second turn, and each later one that begins with
// the first of them, is mostly the last: it is tried whether it is. PowerPC's stubs depend on what is passed to them,
// and who asked for them is kept (Reader::stub_of): there nothing is tried.
Pass::Settled Pass::settle_loop(uint32_t from, uint32_t end) {
  // All but the first are entered from within, unless jumps lead into the middle.
  auto& entered = work_.entered;
  entered.clear();
  uint64_t steps = 0;
  for (uint32_t k = from; k < end; ++k) {
    const Piece& p = work_.pieces[order_[k]];
    steps += p.last - p.first;
    if (k != from && reached_[order_[k]]) entered.emplace_back(k, work_.states[order_[k]]);
  }
  changed_ = from;
  for (int round = 0; round < kMostTurns; ++round) {
    uint32_t first = std::exchange(changed_, kNone);
    if (round + 1 == kMostTurns) {
      for (uint32_t k = from; k < end; ++k)
        if (head_of_[order_[k]] != kNone)
          heads_[head_of_[order_[k]]].lost = ~uint64_t{0}, heads_[head_of_[order_[k]]].bounds.clear();
      first = from;
    }
    if (round != 0) {
      for (uint32_t k = std::max(first, from + 1); k < end; ++k) reached_[order_[k]] = 0;
      for (const auto& [k, state] : entered)
        if (k >= first) work_.states[order_[k]] = state, reached_[order_[k]] = 1;
      // Blocks before the first head that changed hold what they held; what they send beyond is sent anew.
      for (uint32_t k = from; k < first; ++k)
        if (leads_to(order_[k], first, end)) visit(order_[k], first, end, Visit::kPassing);
    }
    const bool tries = round != 0 && first == from && family_of(processor_) != Family::kPpc;
    const Seen before = seen();
    if (tries) ++work_.trial.number, work_.trial.fresh.clear(), work_.trial.held.clear();
    for (uint32_t k = first; k < end; ++k)
      enter(order_[k]), visit(order_[k], 0, end, tries ? Visit::kTrial : Visit::kPassing);
    if (changed_ == kNone) return tries ? Settled::kDone : Settled::kYes;
    if (tries) take_back(), forget_since(before);
    if (!work_.charge(steps)) return Settled::kNo;
  }
  return Settled::kYes;
}

void Pass::propagate() {
  const auto count = static_cast<uint32_t>(work_.pieces.size());
  reached_.assign(count, 0);
  work_.unknowns.clear();
  sees_ = false;
  const uint32_t entry = piece_at(start_);
  if (entry == kNone) return;
  if (count > kMostStates || !values_ || work_.steps_left == 0) return give_up_values();
  if (work_.states.size() < count) work_.states.resize(count);
  order_blocks(entry);
  // A switch that is found next changes what was seen.
  sees_ = std::ranges::none_of(work_.pieces, [&](const Piece& p) {
    if (p.control == kNone || work_.ops[p.control].flow != Flow::kIndirectJump) return false;
    const auto known = switches_.find(work_.ops[p.control].address);
    return known == switches_.end() || known->second.table == 0;
  });
  if (sees_) forget_seen();
  work_.trial.number = 0, work_.trial.by.assign(count, 0);
  work_.states[entry] = machine_.entry(start_), reached_[entry] = 1;
  const auto blocks = static_cast<uint32_t>(order_.size());
  for (uint32_t k = 0; k < blocks;) {
    const uint32_t end = work_.search.ends[work_.search.part[order_[k]]];
    const bool loops = end > k + 1 || head_of_[order_[k]] != kNone;
    const Settled settled = loops ? settle_loop(k, end) : Settled::kYes;
    if (settled == Settled::kNo) return give_up_values();
    if (settled == Settled::kDone) k = end;
    for (; k < end; ++k)
      if (!loops || sees_ || leads_to(order_[k], end, blocks)) visit(order_[k], end, blocks, Visit::kLast);
  }
}

}  // namespace assay::code
