// Decoding: flow and targets of hand-encoded instructions of every processor (encodings from the manuals), operands,
// what is read and written, and that Thumb's IT state ends with restart().
#include "code/decode.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
      continue;
    }
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    i += 2;
  }
  return out;
}

struct Expected {
  Processor processor;
  const char* hex;
  Flow flow;
  uint64_t target;
  bool conditional;
  const char* text;
};

void PrintTo(const Expected& e, std::ostream* out) { *out << name_of(e.processor) << " " << e.hex; }

class Decodes : public testing::TestWithParam<Expected> {};

TEST_P(Decodes, FlowTargetAndText) {
  const Expected& e = GetParam();
  Decoder decoder(e.processor);
  const std::string code = bytes_of(e.hex);
  Insn insn;
  ASSERT_TRUE(decoder.decode(Bytes(code).span(), 0x10000, insn));
  EXPECT_EQ(insn.size, code.size());
  EXPECT_EQ(static_cast<int>(insn.flow), static_cast<int>(e.flow));
  EXPECT_EQ(insn.target, e.target);
  EXPECT_EQ(insn.conditional, e.conditional);
  EXPECT_EQ(decoder.set().text(insn), e.text);
}

using enum Processor;
INSTANTIATE_TEST_SUITE_P(
    All, Decodes,
    testing::Values(Expected{kMips32Be, "27bdffe0", Flow::kNone, kNowhere, false, "addiu $sp, $sp, -0x20"},
                    Expected{kMips32Le, "e0ffbd27", Flow::kNone, kNowhere, false, "addiu $sp, $sp, -0x20"},
                    Expected{kMips32Be, "0c004010", Flow::kCall, 0x10040, false, "jal 0x10040"},
                    Expected{kMips32Be, "10000003", Flow::kJump, 0x10010, false, "b 0x10010"},
                    Expected{kMips32Be, "14400003", Flow::kJump, 0x10010, true, "bnez $2, 0x10010"},
                    Expected{kMips32Be, "03e00008", Flow::kReturn, kNowhere, false, "jr $ra"},
                    Expected{kMips32Be, "03200008", Flow::kIndirectJump, kNowhere, false, "jr $25"},
                    Expected{kMips32Be, "0320f809", Flow::kIndirectCall, kNowhere, false, "jalr $25"},
                    Expected{kMips32Be, "04110010", Flow::kCall, 0x10044, false, "bal 0x10044"},
                    Expected{kMips32Be, "04110001", Flow::kNone, 0x10008, false, "bal 0x10008"},
                    Expected{kMips32Be, "0000000c", Flow::kSystemCall, kNowhere, false, "syscall"},
                    Expected{kMips32Be, "0000000d", Flow::kTrap, kNowhere, false, "break"},
                    Expected{kMips64Be, "67bdffe0", Flow::kNone, kNowhere, false, "daddiu $sp, $sp, -0x20"},
                    Expected{kArm, "0e0000eb", Flow::kCall, 0x10040, false, "bl 0x10040"},
                    Expected{kArm, "0e00000a", Flow::kJump, 0x10040, true, "beq 0x10040"},
                    Expected{kArm, "1eff2fe1", Flow::kReturn, kNowhere, false, "bx lr"},
                    Expected{kArm, "1eff2f01", Flow::kReturn, kNowhere, true, "bxeq lr"},
                    Expected{kArm, "0ef0a0e1", Flow::kReturn, kNowhere, false, "mov pc, lr"},
                    Expected{kArm, "03f08ee0", Flow::kIndirectJump, kNowhere, false, "add pc, lr, r3"},
                    Expected{kArm, "03f19ee7", Flow::kIndirectJump, kNowhere, false, "ldr pc, [lr, r3, lsl #2]"},
                    Expected{kArm, "f08fbde8", Flow::kReturn, kNowhere, false,
                             "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"},
                    Expected{kArm, "04f09de4", Flow::kReturn, kNowhere, false, "ldr pc, [sp], #4"},
                    Expected{kArm, "03f19f97", Flow::kIndirectJump, kNowhere, true, "ldrls pc, [pc, r3, lsl #2]"},
                    Expected{kArm, "33ff2fe1", Flow::kIndirectCall, kNowhere, false, "blx r3"},
                    Expected{kArmBe, "eb00000e", Flow::kCall, 0x10040, false, "bl 0x10040"},
                    Expected{kThumb, "00f01ef8", Flow::kCall, 0x10040, false, "bl 0x10040"},
                    Expected{kThumb, "f0bd", Flow::kReturn, kNowhere, false, "pop {r4, r5, r6, r7, pc}"},
                    Expected{kThumb, "7047", Flow::kReturn, kNowhere, false, "bx lr"},
                    Expected{kThumb, "1ed0", Flow::kJump, 0x10040, true, "beq 0x10040"},
                    Expected{kThumb, "1ee0", Flow::kJump, 0x10040, false, "b 0x10040"},
                    Expected{kThumb, "dfe803f0", Flow::kIndirectJump, kNowhere, false, "tbb [pc, r3]"},
                    Expected{kAArch64, "10000094", Flow::kCall, 0x10040, false, "bl 0x10040"},
                    Expected{kAArch64, "00020054", Flow::kJump, 0x10040, true, "b.eq 0x10040"},
                    Expected{kAArch64, "c0035fd6", Flow::kReturn, kNowhere, false, "ret"},
                    Expected{kAArch64, "20021fd6", Flow::kIndirectJump, kNowhere, false, "br x17"},
                    Expected{kAArch64, "00020036", Flow::kJump, 0x10040, true, "tbz w0, #0x0, 0x10040"},
                    Expected{kX86, "e83b000000", Flow::kCall, 0x10040, false, "call 0x10040"},
                    Expected{kX86, "e800000000", Flow::kNone, 0x10005, false, "call 0x10005"},
                    Expected{kX86_64, "743e", Flow::kJump, 0x10040, true, "je 0x10040"},
                    Expected{kX86_64, "c3", Flow::kReturn, kNowhere, false, "ret"},
                    Expected{kX86_64, "ff20", Flow::kIndirectJump, kNowhere, false, "jmp qword ptr [rax]"},
                    Expected{kX86_64, "0f0b", Flow::kTrap, kNowhere, false, "ud2"},
                    Expected{kX86_64, "0f05", Flow::kSystemCall, kNowhere, false, "syscall"},
                    Expected{kX86, "cd80", Flow::kSystemCall, kNowhere, false, "int 0x80"},
                    Expected{kPpc32, "48000041", Flow::kCall, 0x10040, false, "bl 0x10040"},
                    Expected{kPpc32, "48000040", Flow::kJump, 0x10040, false, "b 0x10040"},
                    Expected{kPpc32, "41820040", Flow::kJump, 0x10040, true, "bt 2, 0x10040"},
                    Expected{kPpc32, "4e800020", Flow::kReturn, kNowhere, false, "blr"},
                    Expected{kPpc32, "4d820020", Flow::kReturn, kNowhere, true, "bclr 12, 2"},
                    Expected{kPpc32, "4e800420", Flow::kIndirectJump, kNowhere, false, "bctr"},
                    Expected{kPpc32, "4e800421", Flow::kIndirectCall, kNowhere, false, "bctrl"},
                    Expected{kPpc32, "4bfffff1", Flow::kCall, 0xfff0, false, "bl 0xfff0"},
                    Expected{kPpc32, "429f0005", Flow::kNone, 0x10004, false, "bcl 20, 31, 0x10004"},
                    Expected{kPpc32, "7fe00008", Flow::kTrap, kNowhere, false, "trap"},
                    Expected{kPpc32, "44000002", Flow::kSystemCall, kNowhere, false, "sc"},
                    Expected{kRiscv64, "ef000004", Flow::kCall, 0x10040, false, "jal 0x10040"},
                    Expected{kRiscv64, "6f000004", Flow::kJump, 0x10040, false, "j 0x10040"},
                    Expected{kRiscv64, "8280", Flow::kReturn, kNowhere, false, "ret"},
                    Expected{kRiscv64, "8287", Flow::kIndirectJump, kNowhere, false, "jr a5"},
                    Expected{kRiscv64, "73000000", Flow::kSystemCall, kNowhere, false, "ecall"}));

// it eq; then a return that only the block makes conditional. Decoded afresh, the same bytes are unconditional.
TEST(Decoder, RestartForgetsThumbConditions) {
  Decoder decoder(kThumb);
  const std::string it = bytes_of("08bf"), back = bytes_of("7047");
  Insn insn;
  ASSERT_TRUE(decoder.decode(Bytes(it).span(), 0x100, insn));
  ASSERT_TRUE(decoder.decode(Bytes(back).span(), 0x102, insn));
  EXPECT_TRUE(insn.conditional);
  EXPECT_EQ(insn.condition, 0);
  ASSERT_TRUE(decoder.decode(Bytes(it).span(), 0x100, insn));
  decoder.restart();
  ASSERT_TRUE(decoder.decode(Bytes(back).span(), 0x102, insn));
  EXPECT_FALSE(insn.conditional);
}

// push {r4, lr} writes sp alone; pop {r4, pc} writes both of its list.
TEST(InstructionSet, SaysWhatIsWritten) {
  Decoder decoder(kArm);
  const InstructionSet& set = decoder.set();
  const auto written = [&](std::string_view hex) {
    Insn insn;
    const std::string code = bytes_of(hex);
    EXPECT_TRUE(decoder.decode(Bytes(code).span(), 0, insn));
    std::vector<uint16_t> numbers;
    set.writes(insn, numbers);
    std::vector<std::string> names;
    for (const uint16_t n : numbers) names.emplace_back(set.register_name(n));
    return names;
  };
  EXPECT_EQ(written("10402de9"), std::vector<std::string>{"SP"});
  EXPECT_EQ(written("1080bde8"), (std::vector<std::string>{"SP", "R4", "PC"}));
}

TEST(Decoder, NeverReadsPastTheEnd) {
  for (size_t p = 1; p < kProcessors; ++p) {
    Decoder decoder(static_cast<Processor>(p));
    Insn insn;
    EXPECT_FALSE(decoder.decode({}, 0, insn));
    EXPECT_EQ(insn.size, 0);
    const std::string all(16, '\xff');
    for (size_t n = 1; n <= all.size(); ++n) {
      decoder.decode(Bytes(all).span().first(n), 0, insn);
      EXPECT_LE(insn.size, n);
    }
  }
}

// LLVM's AArch64 adds operands by the opcode that it finds, also where the word is no instruction: that of the word
// before would have it write outside the list of operands.
TEST(Decoder, ForgetsTheOpcodeBefore) {
  Decoder decoder(Processor::kAArch64);
  const std::string load = bytes_of("a3 40 d0 e1"), none = bytes_of("76 31 36 f6");
  Insn insn;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(decoder.decode(Bytes(load).span(), 0, insn));
    ASSERT_EQ(insn.operand_count, 6);
    ASSERT_FALSE(decoder.decode(Bytes(none).span(), 0, insn));
    ASSERT_EQ(insn.size, 4);
  }
}

}  // namespace
}  // namespace assay::code
