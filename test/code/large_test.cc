// Functions of a size that no budget may cut off: a hundred thousand instructions, ten thousand blocks.
#include "code/analysis.h"
#include "test/code/small_elf.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

constexpr uint32_t kAddOne = 0x24420001, kReturn = 0x03e00008, kNop = 0;  // addiu $v0, $v0, 1; jr $ra

std::string mips(const std::vector<uint32_t>& words) {
  std::string code;
  for (const uint32_t w : words)
    for (int shift = 24; shift >= 0; shift -= 8) code.push_back(static_cast<char>(w >> shift));
  return SmallElf{.machine = 8, .big = true}.of(code);
}

Analysis read(const std::string& file) {
  const auto program = load(Bytes(file));
  return program ? analyse(*program) : Analysis();
}

TEST(Large, AHundredThousandInstructions) {
  std::vector<uint32_t> words(100'000, kAddOne);
  words.push_back(kReturn), words.push_back(kNop);
  const Analysis all = read(mips(words));
  ASSERT_EQ(all.functions.all.size(), 1u);
  EXPECT_EQ(all.bodies[0].instructions, words.size());
  EXPECT_EQ(all.functions.incomplete, 0u);
}

// One loop over five thousand choices, each of two blocks.
TEST(Large, TenThousandBlocks) {
  constexpr uint32_t kSkip = 0x10800002, kBack = 0x14a00000;  // beqz $a0, over the next; bnez $a1, …
  constexpr uint32_t kChoices = 5000;
  std::vector<uint32_t> words;
  for (uint32_t i = 0; i < kChoices; ++i) words.insert(words.end(), {kSkip, kNop, kAddOne});
  words.push_back(kBack | (static_cast<uint32_t>(-static_cast<int32_t>(words.size()) - 1) & 0xffff));
  words.insert(words.end(), {kNop, kReturn, kNop});
  const Analysis all = read(mips(words));
  ASSERT_EQ(all.functions.all.size(), 1u);
  EXPECT_EQ(all.bodies[0].blocks, 2 * kChoices + 2);
  EXPECT_EQ(all.blocks[0].loop_depth, 1);
  EXPECT_EQ(all.functions.incomplete, 0u);
}

}  // namespace
}  // namespace assay::code
