// Carries what registers and the stack hold along the edges until nothing changes.
#include "code/pass.h"

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
}

// What holds at the end of a block, sent along one edge.
void Pass::send(uint32_t from, uint32_t to, const State& state) {
  if (rank_[to] <= rank_[from]) return send_back(to, state);
  State& into = work_.states[to];
  if (!std::exchange(reached_[to], uint8_t{1}))
    into = state;
  else
    Machine::join(into, state, to);
}

// Backwards, it may only show that a register or a word does not hold at the loop's head what it held on the way in: it
// is forgotten there, and all from there on begins again.
void Pass::send_back(uint32_t to, const State& state) {
  const State& into = work_.states[to];
  Head& head = heads_[head_of_[to]];
  const auto change = [&] { changed_ = std::min(changed_, rank_[to]); };
  for (Slot i = 0; i < into.used; ++i)
    if ((head.lost >> i & 1) == 0 && !(into.slots[i] == state.slots[i])) head.lost |= uint64_t{1} << i, change();
  for (uint8_t i = 0; i < into.saved; ++i) {
    const auto* end = state.memory.data() + state.saved;
    if (std::find(state.memory.data(), end, into.memory[i]) != end) continue;
    head.words.push_back(into.memory[i].address);
    change();
  }
}

// The head of a loop is entered with what no turn of the loop changes.
void Pass::enter(uint32_t piece) {
  if (head_of_[piece] == kNone) return;
  const Head& head = heads_[head_of_[piece]];
  Machine::forget(work_.states[piece], head.lost, head.words, piece);
}

// Steps through a block and sends what comes out to blocks of rank `first` on. 0: also back to heads of outer loops.
void Pass::visit(uint32_t piece, uint32_t first) {
  State& state = work_.state;
  state = work_.states[piece];
  const Block& b = out_.blocks[piece];
  const uint32_t control = work_.pieces[piece].control;
  const bool branches = control != kNone && (work_.ops[control].conditional || work_.ops[control].likely);
  walk(piece, state, branches ? &work_.taken : nullptr, [](const Op&, const State&) {});
  for (uint32_t e = b.first_edge; e < b.first_edge + b.edges; ++e) {
    const Edge& edge = out_.edges[e];
    if (rank_[edge.to] >= first) send(piece, edge.to, branches && edge.way != Way::kNext ? work_.taken : state);
  }
}

// Blocks before the first head that changed hold what they held; what they send beyond is sent anew.
void Pass::revisit(uint32_t first) {
  for (uint32_t k = 0; k < first; ++k) {
    const Block& b = out_.blocks[order_[k]];
    const auto edges = std::span(out_.edges).subspan(b.first_edge, b.edges);
    if (std::ranges::any_of(edges, [&](const Edge& e) { return rank_[e.to] >= first; })) visit(order_[k], first);
  }
}

// Reverse postorder: a block comes after all that lead to it, loops aside.
void Pass::order_blocks(uint32_t entry) {
  order_.clear();
  rank_.assign(out_.blocks.size(), kNone);
  heads_.clear();
  head_of_.assign(out_.blocks.size(), kNone);
  auto& stack = work_.stack;
  stack.assign(1, {entry, 0});
  auto& met = work_.met;
  met.assign(out_.blocks.size(), 0);
  met[entry] = 1;
  while (!stack.empty()) {
    auto& [block, done] = stack.back();
    const Block& b = out_.blocks[block];
    if (done == b.edges) {
      order_.push_back(block);
      stack.pop_back();
      continue;
    }
    const uint32_t to = out_.edges[b.first_edge + done++].to;
    if (!met[to]) met[to] = 1, stack.emplace_back(to, 0);
  }
  std::ranges::reverse(order_);
  for (uint32_t i = 0; i < order_.size(); ++i) rank_[order_[i]] = i;
  for (const uint32_t i : order_)
    for (uint32_t e = 0; e < out_.blocks[i].edges; ++e)
      if (const uint32_t to = out_.edges[out_.blocks[i].first_edge + e].to;
          rank_[to] <= rank_[i] && head_of_[to] == kNone)
        head_of_[to] = static_cast<uint32_t>(heads_.size()), heads_.emplace_back();
}

// Every block is entered with nothing known.
void Pass::give_up_values() {
  values_ = false;
  out_.incomplete = true;
  reached_.assign(out_.blocks.size(), 1);
}

void Pass::propagate() {
  const auto count = static_cast<uint32_t>(work_.pieces.size());
  reached_.assign(count, 0);
  work_.unknowns.clear();
  const uint32_t entry = piece_at(start_);
  if (entry == kNone) return;
  if (count > kMostStates || !values_ || work_.steps_left == 0) return give_up_values();
  if (work_.states.size() < count) work_.states.resize(count);
  order_blocks(entry);
  changed_ = 0;
  for (int round = 0; round < kMostTurns; ++round) {
    uint32_t first = std::exchange(changed_, kNone);
    if (round + 1 == kMostTurns) {
      for (Head& head : heads_) head.lost = ~uint64_t{0};
      first = 0;
    }
    for (uint32_t k = first; k < order_.size(); ++k) reached_[order_[k]] = 0;
    if (first == 0) work_.states[entry] = machine_.entry(start_), reached_[entry] = 1;
    revisit(first);
    for (uint32_t k = first; k < order_.size(); ++k) enter(order_[k]), visit(order_[k], 0);
    if (changed_ == kNone) return;
    if (!work_.charge(work_.ops.size())) return give_up_values();
  }
}

}  // namespace assay::code
