// Every recipe names an opcode that LLVM has; what becomes of instructions whose operands are read in special ways.
#include "code/translate.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

Op op_of(Processor processor, std::string_view bytes, uint64_t address = 0x1000) {
  Decoder decoder(processor);
  Insn insn;
  Op op;
  EXPECT_TRUE(decoder.decode(Bytes(bytes).span(), address, insn));
  Translator::of(processor, Dialect::kUsual).translate(insn, op);
  return op;
}

TEST(Translate, EveryRecipeNamesAnOpcode) {
  for (const Processor p :
       {Processor::kMips32Be, Processor::kMips64Le, Processor::kArm, Processor::kThumb, Processor::kAArch64,
        Processor::kX86, Processor::kX86_64, Processor::kPpc32, Processor::kRiscv64})
    for (const std::string_view name : Translator::unknown_recipes(p)) ADD_FAILURE() << name_of(p) << ": " << name;
}

TEST(Translate, AddressesThatCountFromTheInstruction) {
  const Op lea =
      op_of(Processor::kX86_64, std::string_view("\x48\x8d\x05\x10\x00\x00\x00", 7));  // lea 0x10(%rip), %rax
  EXPECT_EQ(lea.displacement, 0x1017);
  EXPECT_TRUE(lea.based);
  const Op adrp = op_of(Processor::kAArch64, std::string_view("\x01\x00\x00\xb0", 4), 0x1234);  // adrp x1, .+0x1000
  EXPECT_EQ(adrp.what, Do::kPage);
  EXPECT_EQ(adrp.imm, 0x2000);
  const Op literal = op_of(Processor::kThumb, std::string_view("\x02\x4a", 2), 0x1002);  // ldr r2, [pc, #8]
  EXPECT_EQ(literal.displacement, 0x100c);
}

TEST(Translate, ShiftedAndExtendedOperands) {
  const Op row = op_of(Processor::kArm, std::string_view("\x03\xf1\x8f\x90", 4));  // addls pc, pc, r3, lsl #2
  EXPECT_EQ(row.through, 15);
  EXPECT_EQ(row.shift, 2);
  EXPECT_EQ(row.relation, Relation::kBelowEqual);
  const Op extended = op_of(Processor::kAArch64, std::string_view("\x01\xa8\x21\x8b", 4));  // add x1, x0, w1, sxth #2
  EXPECT_EQ(extended.extend, -16);
  EXPECT_EQ(extended.shift, 2);
  const Op rotated = op_of(Processor::kPpc32, "\x54\x69\x10\x3a");  // slwi 9, 3, 2
  EXPECT_EQ(rotated.what, Do::kField);
  EXPECT_EQ(rotated.scale, 2);
}

TEST(Translate, WhatArmPushesAndPopsMovesTheStack) {
  const auto moves = [](Processor processor, std::string_view bytes, Do what, int64_t by) {
    const Op op = op_of(processor, bytes);
    EXPECT_EQ(op.what, what) << by;
    EXPECT_EQ(op.dst, 13) << by;
    EXPECT_EQ(op.a, 13) << by;
    EXPECT_EQ(op.imm, by);
  };
  moves(Processor::kThumb, std::string_view("\x10\xb5", 2), Do::kAdd, -8);                 // push {r4, lr}
  moves(Processor::kThumb, std::string_view("\x2d\xe9\xf0\x4f", 4), Do::kAdd, -36);        // push.w {r4-r11, lr}
  moves(Processor::kThumb, std::string_view("\x2d\xed\x04\x8b", 4), Do::kAdd, -16);        // vpush {d8, d9}
  moves(Processor::kThumb, std::string_view("\x10\xbd", 2), Do::kAdd, 8);                  // pop {r4, pc}
  moves(Processor::kThumb, std::string_view("\xad\xf6\xc4\x0d", 4), Do::kSubtract, 2244);  // subw sp, sp, #2244
  moves(Processor::kThumb, std::string_view("\x0d\xf2\xdc\x4d", 4), Do::kAdd, 1244);       // addw sp, sp, #1244
  moves(Processor::kArm, std::string_view("\x10\x40\x2d\xe9", 4), Do::kAdd, -8);           // push {r4, lr}
  // popne {r4, pc}: what follows has the stack as it was.
  EXPECT_EQ(op_of(Processor::kArm, std::string_view("\x10\x80\xbd\x18", 4)).dst, kNoSlot);
}

// A call of what follows writes where that is and goes on; in another instruction set it is a call.
TEST(Translate, CallsOfWhatFollowsOnlyLink) {
  const auto links = [](Processor processor, std::string_view bytes, Slot slot, int64_t where) {
    const Op op = op_of(processor, bytes);
    EXPECT_EQ(op.flow, Flow::kNone);
    EXPECT_EQ(op.what, Do::kLinkNext);
    EXPECT_EQ(op.dst, slot);
    EXPECT_EQ(op.imm, where);
  };
  links(Processor::kRiscv64, std::string_view("\xef\x00\x40\x00", 4), 1, 0x1004);  // jal ra, .+4
  links(Processor::kRiscv64, std::string_view("\xef\x02\x40\x00", 4), 5, 0x1004);  // jal t0, .+4
  links(Processor::kRiscv32, "\x09\x20", 1, 0x1002);                               // c.jal .+2
  links(Processor::kArm, "\xff\xff\xff\xeb", 14, 0x1004);                          // bl .+4
  const Op other = op_of(Processor::kArm, "\xff\xff\xff\xfa");                     // blx .+4
  EXPECT_EQ(other.flow, Flow::kCall);
  EXPECT_TRUE(other.other_mode);
}

}  // namespace
}  // namespace assay::code
