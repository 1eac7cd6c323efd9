// Immediate dominators by Cooper, Harvey and Kennedy's iteration (A Simple, Fast Dominance Algorithm, 2001), of graphs
// whose blocks are numbers.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace assay::code {

constexpr uint32_t kNoNode = ~uint32_t{0};
// Steps up the trees of dominators and of loops. More, and the graph is more tangled than any compiler's.
constexpr uint64_t kMostSteps = uint64_t{1} << 26;

// What is reached from `root`, each block before those behind it as far as loops allow. next(block, k): where the kth
// edge goes; kNoNode behind the last. No recursion, a function may have a hundred thousand blocks.
template <class Next>
std::vector<uint32_t> reverse_postorder(size_t blocks, uint32_t root, Next next) {
  std::vector<uint32_t> out;
  std::vector<uint8_t> met(blocks);
  std::vector<std::pair<uint32_t, uint32_t>> stack = {{root, 0}};
  met[root] = 1;
  while (!stack.empty()) {
    auto& [block, done] = stack.back();
    const uint32_t to = next(block, done++);
    if (to == kNoNode) {
      out.push_back(block);
      stack.pop_back();
    } else if (!met[to]) {
      met[to] = 1;
      stack.emplace_back(to, 0);
    }
  }
  std::ranges::reverse(out);
  return out;
}

// By block: its place in `order`; kNoNode: it has none.
inline std::vector<uint32_t> places(size_t blocks, std::span<const uint32_t> order) {
  std::vector<uint32_t> out(blocks, kNoNode);
  for (uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i;
  return out;
}

// By block: its immediate dominator, the root's being itself; kNoNode: not reached. `order` and `place` as above;
// before(block): the blocks with edges to it. Adds to `steps`; where they become more than kMostSteps, what is returned
// is not done.
template <class Before>
std::vector<uint32_t> dominators(std::span<const uint32_t> order, std::span<const uint32_t> place, Before before,
                                 uint64_t& steps) {
  std::vector<uint32_t> out(place.size(), kNoNode);
  if (order.empty()) return out;
  // kNoNode: too many steps.
  const auto meet = [&](uint32_t a, uint32_t b) {
    while (a != b) {
      if (++steps > kMostSteps) return kNoNode;
      (place[a] > place[b] ? a : b) = out[place[a] > place[b] ? a : b];
    }
    return a;
  };
  out[order[0]] = order[0];
  // Without loops all that leads to a block is known before it.
  for (bool any = true, loops = false; any; any &= loops) {
    any = false;
    for (const uint32_t block : order.subspan(1)) {
      uint32_t best = kNoNode;
      for (const uint32_t from : before(block)) {
        if (out[from] == kNoNode) {
          loops = true;
          continue;
        }
        best = best == kNoNode ? from : meet(best, from);
        if (best == kNoNode) return out;
      }
      if (best != out[block]) out[block] = best, any = true;
    }
  }
  return out;
}

}  // namespace assay::code
