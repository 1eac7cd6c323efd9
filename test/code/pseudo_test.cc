// Pseudo-C of code that no compiler makes, and of what it must not drop.
#include "code/listing.h"
#include "code/pseudo/graph.h"
#include "test/code/small_elf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

constexpr SmallElf kX86{62, true, false, 0x10100};

CodeListing pseudo(const std::string& code, const SmallElf& elf = kX86) {
  const std::string file = elf.of(code);
  const auto program = load(Bytes(file));
  EXPECT_TRUE(program);
  if (!program) return {};
  Reading reading(*program);
  const uint32_t function = reading.analysis.function_at(0x10100);
  EXPECT_NE(function, kNone);
  return function == kNone ? CodeListing{} : listing(reading, function, 1'000'000, "c");
}
bool says(const CodeListing& c, std::string_view what) {
  return std::ranges::any_of(c.lines, [&](const CodeLine& l) { return l.text.find(what) != std::string::npos; });
}

TEST(PseudoC, ExpressionsOfManyLoadsAreCut) {
  std::string code;
  for (int i = 0; i < 100'000; ++i) code += from_hex("488b00");  // mov rax, [rax]
  const CodeListing c = pseudo(code + '\xc3');
  EXPECT_GT(c.lines.size(), 4000U);
  for (const CodeLine& l : c.lines) ASSERT_LT(l.text.size(), 1000U);
}

TEST(PseudoC, KeepsTheSecondRegisterOfAResult) {
  const CodeListing c =
      pseudo(from_hex("b801000000ba02000000b903000000c3"));  // mov eax, 1; mov edx, 2; mov ecx, 3; ret
  EXPECT_TRUE(says(c, "rdx = 2;"));
  EXPECT_TRUE(says(c, "return"));
  EXPECT_FALSE(says(c, "rcx"));
}

TEST(PseudoC, KeepsWhatStandsBehindACallOfWhatFollows) {
  constexpr SmallElf kRiscv64{243, true, false, 0x10100};
  // mv t1, ra; jal ra, .+4; mv ra, t1; li a0, 42; ret
  EXPECT_TRUE(says(pseudo(from_hex("0683ef0040009a801305a0028280"), kRiscv64), "return 0x2a"));
}

// The sanitizers say whether a sum of them overflows.
TEST(PseudoC, NumbersThatAreNoDistancesAreNoPlacesOfTheFrame) {
  const std::string far = from_hex("48b800000000000000404801c4");  // movabs rax, 2^62; add rsp, rax
  // …; syscall; …; mov [rsp], rdi; ret
  const CodeListing c = pseudo(far + from_hex("0f05") + far + from_hex("48893c24c3"));
  EXPECT_TRUE(says(c, "*(u64 *)"));
  EXPECT_FALSE(says(c, "local_") || says(c, "stack_4"));
}

// ---- graphs

void jump_if(ir::Function& f, uint64_t to) {
  const auto at = static_cast<ir::Value>(f.ops.size());
  f.ops.push_back(ir::make_constant(32, to));
  f.ops.push_back({.code = ir::Code::kGet, .bits = 1, .a = 0});
  f.ops.push_back({.code = ir::Code::kJump, .a = at, .c = at + 1});
}
// Loops within each other: heads 0, 1, …, then their ends, which jump back to …, 1, 0.
ir::Function nest(uint32_t loops) {
  ir::Function f;
  for (uint32_t i = 0; i < 2 * loops; ++i) {
    ir::Block b{.address = i, .next = i + 1, .first = static_cast<ir::Value>(f.ops.size())};
    if (i >= loops) jump_if(f, 2 * loops - 1 - i);
    b.count = static_cast<uint32_t>(f.ops.size()) - b.first;
    f.blocks.push_back(b);
  }
  return f;
}

TEST(PseudoGraph, NestsAreLoopsWithinLoops) {
  const pseudo::Graph g = pseudo::graph_of(nest(50), 0, {});
  EXPECT_FALSE(g.tangled);
  for (uint32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(g.loop[i], i);
    EXPECT_EQ(g.loop[99 - i], i);
    EXPECT_EQ(g.parent[i], i == 0 ? ir::kNoBlock : i - 1);
    EXPECT_EQ(g.exit[i], i == 0 ? ir::kNoBlock : 100 - i);
  }
}

TEST(PseudoGraph, NestsDeeperThanAnyCompilersAreSaidToBeSo) {
  EXPECT_TRUE(pseudo::graph_of(nest(9000), 0, {}).tangled);
}

}  // namespace
}  // namespace assay::code
