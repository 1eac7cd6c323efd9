// Immediate dominators by Cooper, Harvey and Kennedy's iteration (A Simple, Fast Dominance Algorithm, 2001); natural
// loops of back edges to a dominator, the innermost by the nearest head.
#include "code/graph.h"

#include <algorithm>

namespace assay::code {
namespace {

// Steps up the tree of dominators; edges followed within loops. Graphs as tangled and nests as deep are no compiler's.
constexpr uint64_t kMostSteps = uint64_t{1} << 26, kMostWork = uint64_t{1} << 24;

class Shaper {
 public:
  Shaper(std::vector<Block>& blocks, const std::vector<Edge>& edges, uint32_t entry)
      : blocks_(blocks), edges_(edges), entry_(entry), rank_(blocks.size(), kNone), idom_(blocks.size(), kNone) {}
  bool run() {
    order();
    gather_predecessors();
    return dominate() && loops();
  }

 private:
  void order();
  void gather_predecessors();
  bool dominate();
  bool loops();
  bool body_of(uint32_t head, uint32_t tail);
  bool dominates(uint32_t one, uint32_t other);
  uint32_t meet(uint32_t a, uint32_t b);

  std::vector<Block>& blocks_;
  const std::vector<Edge>& edges_;
  const uint32_t entry_;
  uint64_t steps_ = 0;  // up the tree
  uint64_t work_ = 0;   // within loops
  std::vector<uint32_t> rank_, idom_, reverse_, first_, from_, mark_, depth_;
};

// Blocks by reverse postorder; no recursion, a function may have a hundred thousand.
void Shaper::order() {
  std::vector<std::pair<uint32_t, uint32_t>> stack{{entry_, 0}};
  std::vector<uint8_t> met(blocks_.size(), 0);
  met[entry_] = 1;
  while (!stack.empty()) {
    auto& [block, done] = stack.back();
    if (done == blocks_[block].edges) {
      reverse_.push_back(block);
      stack.pop_back();
      continue;
    }
    const uint32_t to = edges_[blocks_[block].first_edge + done++].to;
    if (!met[to]) met[to] = 1, stack.emplace_back(to, 0);
  }
  std::ranges::reverse(reverse_);
  for (uint32_t i = 0; i < reverse_.size(); ++i) rank_[reverse_[i]] = i;
}

void Shaper::gather_predecessors() {
  first_.assign(blocks_.size() + 1, 0);
  for (const uint32_t b : reverse_)
    for (uint32_t e = 0; e < blocks_[b].edges; ++e) ++first_[edges_[blocks_[b].first_edge + e].to + 1];
  for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  from_.resize(first_.back());
  std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
  for (const uint32_t b : reverse_)
    for (uint32_t e = 0; e < blocks_[b].edges; ++e) from_[next[edges_[blocks_[b].first_edge + e].to]++] = b;
}

// kNone: too many steps.
uint32_t Shaper::meet(uint32_t a, uint32_t b) {
  while (a != b) {
    if (++steps_ > kMostSteps) return kNone;
    if (rank_[a] > rank_[b])
      a = idom_[a];
    else
      b = idom_[b];
  }
  return a;
}

bool Shaper::dominate() {
  idom_[entry_] = entry_;
  for (bool any = true; any;) {
    any = false;
    for (const uint32_t b : reverse_) {
      if (b == entry_) continue;
      uint32_t best = kNone;
      for (uint32_t i = first_[b]; i < first_[b + 1]; ++i) {
        if (idom_[from_[i]] == kNone) continue;
        best = best == kNone ? from_[i] : meet(best, from_[i]);
        if (best == kNone) return false;
      }
      if (best != idom_[b]) idom_[b] = best, any = true;
    }
  }
  depth_.assign(blocks_.size(), 0);
  for (const uint32_t b : reverse_)
    if (b != entry_) blocks_[b].dominator = idom_[b], depth_[b] = depth_[idom_[b]] + 1;
  return true;
}

bool Shaper::dominates(uint32_t one, uint32_t other) {
  while (depth_[other] > depth_[one] && ++steps_ <= kMostSteps) other = idom_[other];
  return one == other;
}

// Everything that reaches `tail` without passing `head`. False: too many edges.
bool Shaper::body_of(uint32_t head, uint32_t tail) {
  std::vector<uint32_t> stack{tail};
  if (mark_[head] != head) mark_[head] = head, blocks_[head].loop = head, ++blocks_[head].loop_depth;
  while (!stack.empty()) {
    const uint32_t b = stack.back();
    stack.pop_back();
    if (mark_[b] == head || rank_[b] == kNone) continue;
    work_ += 1 + first_[b + 1] - first_[b];
    if (work_ > kMostWork) return false;
    mark_[b] = head;
    blocks_[b].loop = head;
    ++blocks_[b].loop_depth;
    for (uint32_t i = first_[b]; i < first_[b + 1]; ++i) stack.push_back(from_[i]);
  }
  return true;
}

// Outer heads first, so that the innermost is the last to be written.
bool Shaper::loops() {
  mark_.assign(blocks_.size(), kNone);
  for (const uint32_t head : reverse_)
    for (uint32_t i = first_[head]; i < first_[head + 1]; ++i) {
      // An edge forward is none back to a head.
      if (rank_[from_[i]] < rank_[head]) continue;
      const bool loop = dominates(head, from_[i]);
      if (steps_ > kMostSteps) return false;
      if (loop && !body_of(head, from_[i])) return false;
    }
  return true;
}

}  // namespace

bool shape(std::vector<Block>& blocks, const std::vector<Edge>& edges, uint32_t entry) {
  return entry >= blocks.size() || Shaper(blocks, edges, entry).run();
}

}  // namespace assay::code
