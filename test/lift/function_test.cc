// Where whole functions are cut: control comes back behind a call, taken or not, behind a system call, and to a
// repeated string operation itself. What is known of registers before does not hold there.
#include "code/lift/function.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code::lift {
namespace {

// Lifts `code` at 0x1000 as blocks that end at those addresses and at its end.
std::string lifted(Processor processor, std::initializer_list<uint8_t> code,
                   std::initializer_list<uint64_t> ends = {}) {
  std::vector<std::byte> bytes;
  for (const uint8_t b : code) bytes.push_back(static_cast<std::byte>(b));
  Program program;
  program.processor = processor;
  program.code.push_back({.address = 0x1000, .bytes = Bytes(std::span<const std::byte>(bytes)), .executable = true});
  Shape shape{.program = &program, .blocks = {{.address = 0x1000, .end = 0x1000 + bytes.size()}}};
  for (const uint64_t end : ends) {
    shape.blocks.push_back({.address = end, .end = shape.blocks.back().end});
    shape.blocks[shape.blocks.size() - 2].end = end;
  }
  const Isa isa = isa_for(program, processor);
  ir::Function out;
  ir::Counters counters;
  lift_function(isa, shape, {.convention = ir::convention_of(processor, isa.file)}, counters, out);
  EXPECT_EQ(ir::malformed(out), "");
  return ir::print(out);
}
std::string blocks_of(const std::string& text) {
  std::string out;
  for (size_t at = text.find("block "); at != text.npos; at = text.find("block ", at + 1))
    out += text.substr(at + 6, text.find('\n', at) - at - 6) + "\n";
  return out;
}

TEST(Function, RepeatedStringOperationIsABlockOfItsOwn) {
  // mov ecx, 4; rep stosb; mov eax, ecx; ret
  const std::string text = lifted(Processor::kX86, {0xb9, 4, 0, 0, 0, 0xf3, 0xaa, 0x89, 0xc8, 0xc3});
  EXPECT_EQ(blocks_of(text), "0x1000 next 0x1005\n0x1005 next 0x1007\n0x1007 next 0x100a\n") << text;
  const std::string again = text.substr(text.find("block 0x1005"));
  EXPECT_NE(again.find("get.32 ecx"), std::string::npos) << text;  // not 4: the second time it is 3
  EXPECT_NE(again.substr(again.find("block 0x1007")).find("get.32 ecx"), std::string::npos) << text;
}

TEST(Function, RepeatPrefixElsewhereCutsNothing) {  // mov eax, 1; repz ret
  EXPECT_EQ(blocks_of(lifted(Processor::kX86, {0xb8, 1, 0, 0, 0, 0xf3, 0xc3})), "0x1000 next 0x1007\n");
}

TEST(Function, IsCutBehindConditionalCalls) {
  // mov r0, #1; blne 0x1100; mov r1, r0; bx lr
  const std::string arm =
      lifted(Processor::kArm, {1, 0, 0xa0, 0xe3, 0x3d, 0, 0, 0x1b, 0, 0x10, 0xa0, 0xe1, 0x1e, 0xff, 0x2f, 0xe1});
  EXPECT_EQ(blocks_of(arm), "0x1000 next 0x1008\n0x1008 next 0x1010\n") << arm;
  EXPECT_NE(arm.substr(arm.find("block 0x1008")).find("get.32 r0"), std::string::npos) << arm;
  // li r3, 1; beql 0x1104; mr r4, r3; blr
  const std::string ppc =
      lifted(Processor::kPpc32, {0x38, 0x60, 0, 1, 0x41, 0x82, 1, 1, 0x7c, 0x64, 0x1b, 0x78, 0x4e, 0x80, 0, 0x20});
  EXPECT_EQ(blocks_of(ppc), "0x1000 next 0x1008\n0x1008 next 0x1010\n") << ppc;
  // li v0, 1; bgezal a0, 0x1048; nop; move v1, v0; jr ra; nop
  const std::string mips = lifted(Processor::kMips32Be, {0x24, 2,    0,    1,    4, 0x91, 0, 0x10, 0, 0, 0, 0,
                                                         0,    0x40, 0x18, 0x25, 3, 0xe0, 0, 8,    0, 0, 0, 0});
  EXPECT_EQ(blocks_of(mips), "0x1000 next 0x100c\n0x100c next 0x1018\n") << mips;
}

TEST(Function, IsCutBehindSystemCalls) {
  // mov eax, 1; syscall; mov ebx, eax; ret
  const std::string x86 = lifted(Processor::kX86_64, {0xb8, 1, 0, 0, 0, 0x0f, 5, 0x89, 0xc3, 0xc3});
  EXPECT_EQ(blocks_of(x86), "0x1000 next 0x1007\n0x1007 next 0x100a\n") << x86;
  EXPECT_NE(x86.substr(x86.find("block 0x1007")).find("get.64 rax"), std::string::npos) << x86;
  // mov r0, #1; svc 0; mov r1, r0; bx lr
  const std::string arm =
      lifted(Processor::kArm, {1, 0, 0xa0, 0xe3, 0, 0, 0, 0xef, 0, 0x10, 0xa0, 0xe1, 0x1e, 0xff, 0x2f, 0xe1});
  EXPECT_EQ(blocks_of(arm), "0x1000 next 0x1008\n0x1008 next 0x1010\n") << arm;
  // li a0, 1; ecall; mv a1, a0; ret
  const std::string riscv = lifted(Processor::kRiscv64, {0x05, 0x45, 0x73, 0, 0, 0, 0xaa, 0x85, 0x82, 0x80});
  EXPECT_EQ(blocks_of(riscv), "0x1000 next 0x1006\n0x1006 next 0x100a\n") << riscv;
  EXPECT_NE(riscv.substr(riscv.find("block 0x1006")).find("get.64 a0"), std::string::npos) << riscv;
}

// A call of what follows only asks where it is: no block ends there, and nothing leaves.
TEST(Function, IsNotCutByCallsOfWhatFollows) {
  const auto whole = [](Processor processor, std::initializer_list<uint8_t> code) {
    const std::string text = lifted(processor, code), end = fmt::format("{:x}", 0x1000 + code.size());
    EXPECT_EQ(blocks_of(text), "0x1000 next 0x" + end + "\n") << text;
    for (const std::string_view leaves : {"jump", "call", "leaves"}) EXPECT_EQ(text.find(leaves), text.npos) << text;
    EXPECT_NE(text.find("\n  ret "), text.npos) << text;
  };
  whole(Processor::kRiscv64, {0xef, 0, 0x40, 0, 0x82, 0x80});                           // jal ra, .+4; ret
  whole(Processor::kRiscv64, {0xef, 2, 0x40, 0, 0x82, 0x80});                           // jal t0, .+4; ret
  whole(Processor::kRiscv32, {9, 0x20, 0x82, 0x80});                                    // c.jal .+2; ret
  whole(Processor::kArm, {0xff, 0xff, 0xff, 0xeb, 0x1e, 0xff, 0x2f, 0xe1});             // bl .+4; bx lr
  whole(Processor::kArm, {0xff, 0xff, 0xff, 0x1b, 0x1e, 0xff, 0x2f, 0xe1});             // blne .+4; bx lr
  whole(Processor::kThumb, {0, 0xf0, 0, 0xf8, 0x70, 0x47});                             // bl .+4; bx lr
  whole(Processor::kAArch64, {1, 0, 0, 0x94, 0xc0, 3, 0x5f, 0xd6});                     // bl .+4; ret
  whole(Processor::kMips32Be, {4, 0x11, 0, 1, 0, 0, 0, 0, 3, 0xe0, 0, 8, 0, 0, 0, 0});  // bal .+8; nop; jr ra
  whole(Processor::kMips32Be, {4, 0x90, 0, 1, 0, 0, 0, 0, 3, 0xe0, 0, 8, 0, 0, 0, 0});  // bltzal a0, .+8; …
  whole(Processor::kMips32Be, {0x0c, 0, 4, 2, 0, 0, 0, 0, 3, 0xe0, 0, 8, 0, 0, 0, 0});  // jal .+8; …
  whole(Processor::kPpc32, {0x48, 0, 0, 5, 0x4e, 0x80, 0, 0x20});                       // bl .+4; blr
  whole(Processor::kX86_64, {0xe8, 0, 0, 0, 0, 0xc3});                                  // call .+5; ret
}

// A jump in its delay slot is UNPREDICTABLE: what that does is not known, but that it only asks is. bal .+8; jr ra; nop
TEST(Function, CallsOfWhatFollowsLeaveNowhereWhateverTheirSlotHolds) {
  const std::string text = lifted(Processor::kMips32Be, {4, 0x11, 0, 1, 3, 0xe0, 0, 8, 0, 0, 0, 0});
  EXPECT_NE(text.find("opaque \"BGEZAL\" writes ra\n"), text.npos) << text;
}

// In the other instruction set it is a call: blx .+4; bx lr.
TEST(Function, IsCutBehindCallsOfWhatFollowsInTheOtherInstructionSet) {
  const std::string text = lifted(Processor::kArm, {0xff, 0xff, 0xff, 0xfa, 0x1e, 0xff, 0x2f, 0xe1});
  EXPECT_EQ(blocks_of(text), "0x1000 next 0x1004\n0x1004 next 0x1008\n") << text;
  EXPECT_NE(text.find("call"), text.npos) << text;
}

// RISC-V's helpers that save registers are called in t0 and move the stack pointer: it is read again behind them.
TEST(Function, StackPointerIsReadAgainBehindCalls) {
  // jal t0, 0x1100; sd a0, 8(sp); ret
  const std::string text = lifted(Processor::kRiscv64, {0xef, 0x02, 0, 0x10, 0x2a, 0xe4, 0x82, 0x80});
  EXPECT_EQ(blocks_of(text), "0x1000 next 0x1004\n0x1004 next 0x1008\n") << text;
  EXPECT_NE(text.substr(text.find("block 0x1004")).find("get.64 sp"), std::string::npos) << text;
}

// How often each flag is written, in the order of the text.
std::string flags_of(const std::string& text) {
  std::string out;
  for (size_t at = text.find("put "); at != text.npos; at = text.find("put ", at + 1))
    if (text[at + 5] == ' ' || text[at + 5] == 'f') out += text.substr(at + 4, text.find(' ', at + 4) - at - 4) + " ";
  return out;
}

// Blocks are lifted from the last to the first and stand in the order of the function; of the flags of a block those
// are lifted that somebody reads behind it, whichever block comes back to which.
TEST(Function, FlagsAreLiftedWhereSomebodyReadsThem) {
  // subs x0, x0, #1; b.ne 0x1000; adc x1, x1, x2; ret
  const std::string loop = lifted(
      Processor::kAArch64, {0, 4, 0, 0xf1, 0xe1, 0xff, 0xff, 0x54, 0x21, 0, 2, 0x9a, 0xc0, 3, 0x5f, 0xd6}, {0x1008});
  EXPECT_EQ(blocks_of(loop), "0x1000 next 0x1008\n0x1008 next 0x1010\n") << loop;
  EXPECT_EQ(flags_of(loop), "c ") << loop;
  // adcs x1, x1, x2; sub x0, x0, #1; cbnz x0, 0x1000; ret: round the loop
  const std::string round = lifted(
      Processor::kAArch64, {0x21, 0, 2, 0xba, 0, 4, 0, 0xd1, 0xc0, 0xff, 0xff, 0xb5, 0xc0, 3, 0x5f, 0xd6}, {0x100c});
  EXPECT_EQ(flags_of(round), "c ") << round;
  // adds x1, x1, x2; b 0x1008; ret, which nobody calls for flags
  EXPECT_EQ(flags_of(lifted(Processor::kAArch64, {0x21, 0, 2, 0xab, 1, 0, 0, 0x14, 0xc0, 3, 0x5f, 0xd6}, {0x1008})),
            "");
  // adds r1, r1, r2; bx lr: helpers of the compiler return flags
  EXPECT_EQ(flags_of(lifted(Processor::kArm, {2, 0x10, 0x91, 0xe0, 0x1e, 0xff, 0x2f, 0xe1})), "n z c v ");
  // cmp r0, #0; movsne r0, #1; bx lr: what is not taken leaves them as they are
  const std::string kept = lifted(Processor::kArm, {0, 0, 0x50, 0xe3, 1, 0, 0xb0, 0x13, 0x1e, 0xff, 0x2f, 0xe1});
  EXPECT_NE(flags_of(kept).find("c v"), std::string::npos) << kept;
  // add ecx, edx; dec eax; jne 0x1000; adc ecx, 0; ret: dec leaves the carry
  const std::string x86 = lifted(Processor::kX86, {1, 0xd1, 0x48, 0x75, 0xfb, 0x83, 0xd1, 0, 0xc3}, {0x1005});
  EXPECT_EQ(flags_of(x86), "cf ") << x86;
}

// One of Thumb's conditional blocks goes on behind the end of a block of ours: cmp r0, #0; itt eq; moveq r1, #1 |
// moveq r2, #2; bx lr
TEST(Function, ConditionalBlocksGoOnInTheNextBlock) {
  const std::initializer_list<uint8_t> code = {0, 0x28, 0x04, 0xbf, 1, 0x21, 2, 0x22, 0x70, 0x47};
  const std::string text = lifted(Processor::kThumb, code, {0x1006});
  EXPECT_EQ(blocks_of(text), "0x1000 next 0x1006\n0x1006 next 0x100a\n") << text;
  EXPECT_NE(text.substr(text.find("block 0x1006")).find("get.1 z"), std::string::npos) << text;
  EXPECT_EQ(flags_of(text), "n z c v ") << text;
}

}  // namespace
}  // namespace assay::code::lift
