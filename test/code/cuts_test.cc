// Where one function ends and the next begins, told by shape alone: programs by hand without symbols, sections or
// unwind tables, each beside a near twin in which the same place is no function.
#include "code/analysis.h"
#include "small_elf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

constexpr SmallElf kAmd64{.machine = 62, .wide = true}, k386{.machine = 3}, kPpc{.machine = 20, .big = true},
    kAArch64{.machine = 183, .wide = true}, kMips64{.machine = 8, .wide = true, .big = true};

std::vector<uint64_t> starts(const SmallElf& elf, std::string_view hex) {
  const std::string bytes = elf.of(from_hex(hex));
  const auto program = load(Bytes(bytes));
  EXPECT_TRUE(program);
  std::vector<uint64_t> out;
  if (program)
    for (const Function& f : find_functions(*program).all) out.push_back(f.address);
  return out;
}

using Starts = std::vector<uint64_t>;

TEST(Cuts, PaddingBehindACallLeadsNowhere) {
  // 10100: call 10120; padding; 10110: lea eax, [rdi + rsi]; ret; padding; 10120: ret
  EXPECT_EQ(starts(kAmd64,
                   "e81b000000662e0f1f84000000000090"
                   "8d0437c30f1f40000f1f40000f1f4000c3"),
            (Starts{0x10100, 0x10110, 0x10120}));
  // 10110: lea eax, [rdi + rsi]; dec edi; jnz 10110; ret
  EXPECT_EQ(starts(kAmd64,
                   "e81b000000662e0f1f84000000000090"
                   "8d0437ffcf75f9c30f1f840000000000c3"),
            (Starts{0x10100, 0x10120}));
}

TEST(Cuts, AJumpLeadsToWhatNothingRunsOnInto) {
  // 10100: test edi, edi; je 10108; xor eax, eax; jmp 10110; 10108: xor eax, eax; ret; 10110: lea eax, [rdi + rsi]; ret
  EXPECT_EQ(starts(kAmd64, "85ff740431c0eb0831c0c30f1f4400008d0437c3"), (Starts{0x10100, 0x10110}));
  // 10108: test esi, esi; jne 10110; ret
  EXPECT_EQ(starts(kAmd64, "85ff740431c0eb0885f67504c30f1f008d0437c3"), (Starts{0x10100}));
}

TEST(Cuts, AJumpIntoTheMiddleOfWhatNeverReturnsDoesNotComeBack) {
  // 10100: call 10120; 10105: lea eax, [rdi + rsi]; ret; 10110: inc edi; hlt; 10120: test edi, edi; jle 10110; jmp
  // 10112
  EXPECT_EQ(starts(kAmd64,
                   "e81b0000008d0437c30f1f8000000000"
                   "ffc7f40f1f40000f1f40000f1f400090"
                   "85ff7eecebec"),
            (Starts{0x10100, 0x10105, 0x10110, 0x10120}));
  // 10110: inc edi; ret; nop
  EXPECT_EQ(starts(kAmd64,
                   "e81b0000008d0437c30f1f8000000000"
                   "ffc7c30f1f40000f1f40000f1f400090"
                   "85ff7eecebec"),
            (Starts{0x10100, 0x10110, 0x10120}));
}

// A loop in which several turns change what is known: each jump in it is one, however often it was looked at.
TEST(Cuts, AJumpInALoopCountsOnce) {
  // xor eax, eax; xor ecx, ecx; test esi, esi; je 10110; 10108: mov eax, ecx; mov ecx, edx; mov edx, esi; jmp 10120;
  // 10110: xor eax, eax; ret; nop…; 10120: dec edi; jne 10108; ret
  EXPECT_EQ(starts(kAmd64,
                   "31c031c985f6740889c889d189f2eb10"
                   "31c0c390909090909090909090909090"
                   "ffcf75e4c3"),
            (Starts{0x10100}));
}

TEST(Cuts, AFrameIsMadeBeforeAnythingIsCalled) {
  // stwu r1, -16(r1); mflr r0; stw r0, 20(r1); bl 10130; all that again; lwz r0, 20(r1); mtlr r0; addi r1, r1, 16; blr;
  // 10130: blr
  EXPECT_EQ(starts(kPpc,
                   "9421fff07c0802a69001001448000025"
                   "9421fff07c0802a69001001448000015"
                   "800100147c0803a6382100104e800020"
                   "4e800020"),
            (Starts{0x10100, 0x10110, 0x10130}));
  // 10110: addi r3, r3, 1
  EXPECT_EQ(starts(kPpc,
                   "9421fff07c0802a69001001448000025"
                   "386300017c0802a69001001448000015"
                   "800100147c0803a6382100104e800020"
                   "4e800020"),
            (Starts{0x10100, 0x10130}));
}

TEST(Cuts, PowerPcsWordOfZerosEndsCode) {
  // 10100: stwu r1, -16(r1); mflr r0; bl 10120; 1010c: addi r3, r3, 1; blr; 10120: a word of zeros; or blr
  const std::string code = "9421fff07c0802a6480000193863000138630001386300014e80002060000000";
  EXPECT_EQ(starts(kPpc, code + "3863000100000000"), (Starts{0x10100, 0x1010c, 0x10120}));
  EXPECT_EQ(starts(kPpc, code + "386300014e800020"), (Starts{0x10100, 0x10120}));
}

TEST(Cuts, AFunctionOfAArch64MayBeginWithANop) {
  // 10100: bl 10120; ret; nop; nop; 10110: nop; add w0, w0, w1; ret; nop; 10120: ret
  EXPECT_EQ(starts(kAArch64,
                   "08000094c0035fd61f2003d51f2003d5"
                   "1f2003d50000010bc0035fd61f2003d5"
                   "c0035fd6"),
            (Starts{0x10100, 0x10110, 0x10120}));
  // 10110: add w0, w0, w1; ret; nop; nop
  EXPECT_EQ(starts(kAArch64,
                   "08000094c0035fd61f2003d51f2003d5"
                   "0000010bc0035fd61f2003d51f2003d5"
                   "c0035fd6"),
            (Starts{0x10100, 0x10110, 0x10120}));
}

TEST(Cuts, ANumberThatLooksLikeAPointerWaits) {
  // 10100: mov eax, 0x10116; call 10120; ret; 10110: mov eax, [esp + 4]; add eax, eax; 10116: add eax, eax; ret;
  // 10120: ret
  EXPECT_EQ(starts(k386,
                   "b816010100e816000000c30f1f440000"
                   "8b44240401c001c0c30f1f8000000000"
                   "c3"),
            (Starts{0x10100, 0x10110, 0x10120}));
}

TEST(Cuts, WhatAJumpCountsFromIsNoFunction) {
  // lea rax, [10120]; lea rdi, [rdi + 2 * rdi]; add rax, rdi; jmp rax; int3…; 10120: xor eax, eax; ret
  EXPECT_EQ(starts(kAmd64,
                   "488d0519000000488d3c7f4801f8ffe0"
                   "cccccccccccccccccccccccccccccccc"
                   "31c0c3"),
            (Starts{0x10100}));
}

TEST(Cuts, WhatLeadsBackIsAPartOfTheFunctionBefore) {
  // 10100: call 10120; 10105: xor eax, eax; ret; 10108: jmp 10105; 10120: ret
  EXPECT_EQ(starts(kAmd64,
                   "e81b00000031c0c3ebfb0f1f44000090"
                   "0f1f40000f1f40000f1f400090909090c3"),
            (Starts{0x10100, 0x10120}));
}

TEST(Cuts, AReturnBehindAJumpIsLeftOver) {
  // 10100: call 10110; ret; 10110: jmp 10120; ret; 10120: ret
  EXPECT_EQ(starts(kAmd64,
                   "e80b000000c3662e0f1f840000000000"
                   "eb0ec30f1f40000f1f40000f1f400090"
                   "c3"),
            (Starts{0x10100, 0x10110, 0x10120}));
}

TEST(Cuts, WhatMipsStartSetsTheGlobalPointerTo) {
  // move zero, ra; bal 1010c; nop; 1010c: lui gp, 1; addiu gp, gp, 0x10; daddu gp, gp, ra; jr ra; nop
  const std::string bytes = kMips64.of(from_hex("03e0002504110001000000003c1c0001279c0010039fe02d03e0000800000000"));
  const auto program = load(Bytes(bytes));
  ASSERT_TRUE(program);
  EXPECT_EQ(program->global_pointer, 0x2011cu);
}

// and edi, 3; shl edi, 4; lea rax, [10120]; add rax, rdi; jmp rax, to one of four places 16 bytes apart.
TEST(Cuts, StepsOfSixteenBytesAreASwitch) {
  const std::string place = "31c0c30f1f40000f1f40000f1f400090";
  const std::string bytes = kAmd64.of(
      from_hex("83e703c1e704488d05130000004801f8ffe00f1f80000000000f1f4000909090" + place + place + place + place));
  const auto program = load(Bytes(bytes));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.jump_tables.size(), 1u);
  EXPECT_EQ(all.jump_tables[0].targets.size(), 4u);
}

}  // namespace
}  // namespace assay::code
