// Dominators and loops: exact on a diamond and on loops within loops, and on made-up graphs as their definition has it,
// block by block, with one block taken away.
#include "code/graph.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

struct Graph {
  std::vector<Block> blocks;
  std::vector<Edge> edges;
};

Graph graph(const std::vector<std::vector<uint32_t>>& next) {
  Graph out;
  for (const auto& to : next) {
    Block b{.first_edge = static_cast<uint32_t>(out.edges.size()), .edges = static_cast<uint32_t>(to.size())};
    out.blocks.push_back(b);
    for (const uint32_t t : to) out.edges.push_back({t, Way::kJump});
  }
  shape(out.blocks, out.edges);
  return out;
}

std::vector<uint32_t> dominators(const Graph& g) {
  std::vector<uint32_t> out;
  for (const Block& b : g.blocks) out.push_back(b.dominator);
  return out;
}

std::vector<std::pair<uint32_t, uint16_t>> loops(const Graph& g) {
  std::vector<std::pair<uint32_t, uint16_t>> out;
  for (const Block& b : g.blocks) out.emplace_back(b.loop, b.loop_depth);
  return out;
}

// Blocks that the first reaches while `without` is gone.
std::vector<bool> reached(const std::vector<std::vector<uint32_t>>& next, uint32_t without) {
  std::vector<bool> met(next.size());
  std::vector<uint32_t> stack;
  if (without != 0) stack.push_back(0), met[0] = true;
  while (!stack.empty()) {
    const uint32_t b = stack.back();
    stack.pop_back();
    for (const uint32_t to : next[b])
      if (to != without && !met[to]) met[to] = true, stack.push_back(to);
  }
  return met;
}

// Of the blocks that every way to `block` passes, the one that all others of them come before.
uint32_t dominator_by_definition(const std::vector<std::vector<uint32_t>>& next, uint32_t block) {
  if (block == 0 || !reached(next, kNone)[block]) return kNone;
  uint32_t best = 0;
  for (uint32_t d = 1; d < next.size(); ++d)
    if (d != block && !reached(next, d)[block] && (best == 0 || !reached(next, best)[d])) best = d;
  return best;
}

TEST(Graph, ADiamondIsDominatedByItsHead) {
  const Graph g = graph({{1, 2}, {3}, {3}, {}});
  EXPECT_EQ(dominators(g), (std::vector<uint32_t>{kNone, 0, 0, 0}));
  for (const Block& b : g.blocks) {
    EXPECT_EQ(b.loop, kNone);
    EXPECT_EQ(b.loop_depth, 0);
  }
}

TEST(Graph, LoopsWithinLoops) {
  // 1 heads the outer loop of 1 to 4, 2 the inner of 2 and 3.
  const Graph g = graph({{1}, {2}, {3, 4}, {2}, {1, 5}, {}});
  EXPECT_EQ(dominators(g), (std::vector<uint32_t>{kNone, 0, 1, 2, 2, 4}));
  const std::vector<std::pair<uint32_t, uint16_t>> want = {{kNone, 0}, {1, 1}, {2, 2}, {2, 2}, {1, 1}, {kNone, 0}};
  EXPECT_EQ(loops(g), want);
}

TEST(Graph, ABlockThatLeadsToItself) {
  const Graph g = graph({{1}, {1, 2}, {}});
  EXPECT_EQ(g.blocks[1].loop, 1u);
  EXPECT_EQ(g.blocks[1].loop_depth, 1);
  EXPECT_EQ(g.blocks[2].loop, kNone);
}

TEST(Graph, WhatIsTooTangledIsSaid) {
  constexpr uint32_t kChain = 9000, kJoins = 8000;  // each join is led to by both ends of the chain
  std::vector<std::vector<uint32_t>> next(kChain + kJoins);
  for (uint32_t i = 0; i + 1 < kChain; ++i) next[i].push_back(i + 1);
  for (uint32_t i = kChain; i < kChain + kJoins; ++i) next[0].push_back(i), next[kChain - 1].push_back(i);
  Graph g = graph(next);
  EXPECT_FALSE(shape(g.blocks, g.edges));
  EXPECT_EQ(g.blocks[kChain].dominator, kNone);
  next.resize(kChain + 1);
  for (auto& to : next) std::erase_if(to, [](uint32_t t) { return t > kChain; });
  g = graph(next);
  EXPECT_TRUE(shape(g.blocks, g.edges));
  EXPECT_EQ(g.blocks[kChain].dominator, 0u);
}

TEST(Graph, ManySmallLoopsCostWhatIsInThem) {
  constexpr uint32_t kBlocks = 5000;
  std::vector<std::vector<uint32_t>> next(kBlocks);
  for (uint32_t i = 0; i + 1 < kBlocks; ++i) next[i] = {i, i + 1};
  Graph g = graph(next);
  EXPECT_TRUE(shape(g.blocks, g.edges));
  EXPECT_EQ(g.blocks[kBlocks - 2].loop, kBlocks - 2);
}

TEST(Graph, WhatNothingLeadsToHasNoDominator) {
  const Graph g = graph({{1}, {}, {1}});
  EXPECT_EQ(dominators(g), (std::vector<uint32_t>{kNone, 0, kNone}));
}

TEST(Graph, DominatorsAreWhatTheirDefinitionSays) {
  uint32_t state = 1;
  const auto next_number = [&](uint32_t below) { return (state = state * 1664525 + 1013904223) / 65536 % below; };
  for (int round = 0; round < 40; ++round) {
    std::vector<std::vector<uint32_t>> next(12);
    for (auto& to : next)
      for (uint32_t i = next_number(3); i-- > 0;) to.push_back(next_number(12));
    next[0].push_back(1 + next_number(11));
    const Graph g = graph(next);
    for (uint32_t b = 0; b < next.size(); ++b)
      EXPECT_EQ(g.blocks[b].dominator, dominator_by_definition(next, b)) << "round " << round << ", block " << b;
  }
}

}  // namespace
}  // namespace assay::code
