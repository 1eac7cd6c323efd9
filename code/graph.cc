// Dominators, and natural loops of back edges to one, the innermost by the nearest head.
#include "code/graph.h"

#include "code/dominators.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint64_t kMostWork = uint64_t{1} << 24;  // edges followed within loops; nests as deep are no compiler's

class Shaper {
 public:
  Shaper(std::vector<Block>& blocks, const std::vector<Edge>& edges, uint32_t entry)
      : blocks_(blocks), edges_(edges), entry_(entry) {}
  bool run() {
    reverse_ = reverse_postorder(blocks_.size(), entry_, [&](uint32_t b, uint32_t k) {
      return k < blocks_[b].edges ? edges_[blocks_[b].first_edge + k].to : kNoNode;
    });
    rank_ = places(blocks_.size(), reverse_);
    gather_predecessors();
    return dominate() && loops();
  }

 private:
  void gather_predecessors();
  bool dominate();
  bool loops();
  bool body_of(uint32_t head, uint32_t tail);
  bool dominates(uint32_t one, uint32_t other);

  std::vector<Block>& blocks_;
  const std::vector<Edge>& edges_;
  const uint32_t entry_;
  uint64_t steps_ = 0;  // up the tree
  uint64_t work_ = 0;   // within loops
  std::vector<uint32_t> rank_, idom_, reverse_, first_, from_, mark_, depth_;
};

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

bool Shaper::dominate() {
  const auto before = [&](uint32_t b) { return std::span(from_).subspan(first_[b], first_[b + 1] - first_[b]); };
  idom_ = dominators(reverse_, rank_, before, steps_);
  if (steps_ > kMostSteps) return false;
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
