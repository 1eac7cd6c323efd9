// Whether code can be where a function begins, and frames that no table leads to: RISC-V and AMD64 by hand.
#include "code/entry.h"
#include "code/analysis.h"
#include "small_elf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint64_t kCode = 0x10100;

bool can_begin(SmallElf elf, Processor processor, std::string_view hex) {
  const std::string bytes = elf.of(from_hex(hex));
  const auto program = load(Bytes(bytes));
  EXPECT_TRUE(program);
  return program && Entry(*program, processor).possible(kCode);
}

TEST(Entry, WhatACallerGivesIsThere) {
  const SmallElf amd64{.machine = 62, .wide = true};
  EXPECT_TRUE(can_begin(amd64, Processor::kX86_64, "8d0437c3"));     // lea eax, [rdi + rsi]; ret
  EXPECT_TRUE(can_begin(amd64, Processor::kX86_64, "5389fb5bc3"));   // push rbx; mov ebx, edi; pop rbx; ret
  EXPECT_FALSE(can_begin(amd64, Processor::kX86_64, "89d8c3"));      // mov eax, ebx; ret
  EXPECT_FALSE(can_begin(amd64, Processor::kX86_64, "89fbc3"));      // mov ebx, edi; ret
  EXPECT_FALSE(can_begin(amd64, Processor::kX86_64, "4883c408c3"));  // add rsp, 8; ret
  EXPECT_FALSE(can_begin(amd64, Processor::kX86_64, "7501c3c3"));    // jne over; ret; ret
  const SmallElf arm{.machine = 40};
  EXPECT_TRUE(can_begin(arm, Processor::kArm, "04e02de504f09de4"));  // push {lr}; pop {pc}
  EXPECT_FALSE(can_begin(arm, Processor::kArm, "04f09de4"));         // pop {pc}
}

// A CIE, two FDEs and an end, in the segment of the code; no section and no header says so. Nothing calls the second
// function, and what lies in the middle of it would look like one.
TEST(Frames, FoundByWhatTheyLookLike) {
  const std::string code = from_hex(
      "c30f1f00"              // 10100: ret
      "8d0437c3f30f1efac390"  // 10104: lea eax, [rdi + rsi]; ret; endbr64; ret
      "9090");                // 1010e
  std::string frames = from_hex("1400000000000000017a5200017810011b0c070890010000");  // at 10110: a CIE, "zR", 0x1b
  const auto record = [&](uint32_t start, uint32_t length) {
    const auto at = static_cast<uint32_t>(0x10110 + frames.size());
    for (const uint32_t v : {16u, at + 4 - 0x10110, start - (at + 8), length, 0u})
      for (int i = 0; i < 4; ++i) frames.push_back(static_cast<char>(v >> 8 * i));
  };
  record(0x10100, 1), record(0x10104, 9), record(0x1010e, 1), record(0x1010f, 1);
  frames += std::string(4, '\0');
  const std::string bytes = SmallElf{.machine = 62, .wide = true}.of(code + frames);
  const auto program = load(Bytes(bytes));
  ASSERT_TRUE(program);
  ASSERT_EQ(program->unwound.size(), 4u);
  EXPECT_EQ(program->unwound[1].from, 0x10104u);
  EXPECT_EQ(program->unwound[1].to, 0x1010du);
  const Functions found = find_functions(*program);
  const auto at = std::ranges::find(found.all, 0x10104u, &Function::address);
  ASSERT_NE(at, found.all.end());
  EXPECT_EQ(at->found, Found::kUnwind);
  EXPECT_EQ(at->size, 9u);
  EXPECT_EQ(std::ranges::find(found.all, 0x10108u, &Function::address), found.all.end());
}

}  // namespace
}  // namespace assay::code
