// What registers and words of the stack hold after short runs of instructions (GNU as).
#include "code/values.h"
#include "code/translate.h"
#include "small_elf.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

class Steps {
 public:
  explicit Steps(Processor processor)
      : translator_(Translator::of(processor, Dialect::kUsual)),
        decoder_(processor),
        machine_(program_, translator_, unknowns_),
        state(machine_.entry(0x1000)) {
    program_.pointer = is_64_bit(processor) ? 8 : 4;
  }
  // The last instruction is not stepped but decoded: a branch to be assumed.
  Op through(std::string_view hex) {
    const std::string bytes = from_hex(hex);
    Insn insn;
    Op op;
    for (uint64_t at = 0; at < bytes.size(); at += insn.size) {
      EXPECT_TRUE(decoder_.decode(Bytes(bytes).span().subspan(at), 0x1000 + at, insn));
      translator_.translate(insn, op);
      if (at + insn.size < bytes.size()) machine_.step(op, ++mark_, state);
    }
    return op;
  }
  void call() { machine_.call(++mark_, state); }
  void step(std::string_view hex) { machine_.step(through(hex), ++mark_, state); }
  std::optional<Bound> bound_where_not_taken(std::string_view hex, Slot slot) {
    const Op branch = through(hex);
    machine_.assume(branch, false, state);
    return machine_.bound(state, state.slots[slot].unknown);
  }

 private:
  Program program_;
  const Translator& translator_;
  Decoder decoder_;
  Unknowns unknowns_;
  Machine machine_;
  uint32_t mark_ = 0;

 public:
  State state;
};

TEST(Values, AStoreThatMayBeSkippedIsNotRemembered) {
  Steps sure(Processor::kArm);
  sure.step(
      "0100a0e300008de50200a0e300008de500109de5");  // mov r0, #1; str r0, [sp]; mov r0, #2; str r0, [sp]; ldr r1, [sp]
  ASSERT_TRUE(sure.state.slots[1].number());
  EXPECT_EQ(sure.state.slots[1].add, 2u);
  Steps maybe(Processor::kArm);
  maybe.step("0100a0e300008de50200a0e300008d1500109de5");  // the second: strne r0, [sp]
  EXPECT_FALSE(maybe.state.slots[1].constant());
}

TEST(Values, AWordWhoseAddressIsPassedIsWrittenByWhoIsCalled) {
  const auto after_call = [](std::string_view pass) {
    Steps steps(Processor::kArm);
    steps.step("0000a0e308008de5");  // mov r0, #0; str r0, [sp, #8]
    steps.step(pass);
    steps.call();
    steps.step("08109de5");  // ldr r1, [sp, #8]
    return steps.state.slots[1];
  };
  EXPECT_FALSE(after_call("08008de2").constant());  // add r0, sp, #8
  EXPECT_TRUE(after_call("04008de2").number());     // add r0, sp, #4
  EXPECT_TRUE(after_call("0c008de2").number());     // add r0, sp, #12
  EXPECT_TRUE(after_call("0800a0e3").number());     // mov r0, #8
}

TEST(Values, AComparisonThatMayBeSkippedBoundsOnlyWhereItWasMade) {
  // cmp r0, #3; cmpls r1, #5; bhi: where it is not taken, both were made.
  const auto chained = Steps(Processor::kArm).bound_where_not_taken("030050e3050051930000008a", 1);
  ASSERT_TRUE(chained);
  EXPECT_EQ(chained->low, 0);
  EXPECT_EQ(chained->high, 5);
  // cmp r0, #3; cmpne r1, #5; bhi: r1 may never have been looked at.
  EXPECT_FALSE(Steps(Processor::kArm).bound_where_not_taken("030050e3050051130000008a", 1));
}

TEST(Values, AByteIsNoValueOfTheWholeRegister) {
  Steps add(Processor::kX86_64);
  add.step("b8ff0000000402");  // mov $0xff, %eax; add $2, %al
  EXPECT_FALSE(add.state.slots[0].constant());
  Steps load(Processor::kX86_64);
  load.step("b8ff0000008a0424");  // mov $0xff, %eax; mov (%rsp), %al
  EXPECT_FALSE(load.state.slots[0].constant());
  Steps word(Processor::kX86_64);
  word.step(
      "b9ffff000066b9341266"
      "89c8");  // mov $0xffff, %ecx; mov $0x1234, %cx; mov %cx, %ax
  EXPECT_FALSE(word.state.slots[1].constant());
}

TEST(Values, AByteThatIsComparedBoundsWhatIsWidenedOfIt) {
  // mov (%rdi), %al; sub $3, %al; cmp $5, %al; movzbl %al, %ecx; ja
  const auto bound = Steps(Processor::kX86_64).bound_where_not_taken("8a072c033c050fb6c87700", 1);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->high, 5);
}

TEST(Values, TheSecondByteOfARegisterIsNotItsFirst) {
  Steps run(Processor::kX86_64);
  run.step("b8341200000fb6cc");  // mov $0x1234, %eax; movzbl %ah, %ecx
  EXPECT_FALSE(run.state.slots[1].number() && run.state.slots[1].add == 0x34);
}

TEST(Values, ASubtractionFromEaxComparesAndIsKept) {
  // mov (%rdi), %eax; mov %eax, %ecx; sub $0x100, %eax; ja
  const auto bound = Steps(Processor::kX86_64).bound_where_not_taken("8b0789c12d000100007700", 1);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->high, 0x100);
}

TEST(Values, AByteThatIsReadLeavesMemoryAsItWas) {
  Steps s(Processor::kX86_64);  // mov (%rdi), %rax; mov (%rsi), %cl; mov (%rdi), %rdx
  s.step("488b078a0e488b17");
  EXPECT_EQ(s.state.slots[0], s.state.slots[2]);
}

TEST(Values, WhatIsLeftOfAByteThatIsShiftedIsBounded) {
  const auto bound = [](Processor processor, std::string_view hex, Slot slot) {
    return Steps(processor).bound_where_not_taken(hex, slot);
  };
  const auto x86 =
      bound(Processor::kX86_64, "0fb60789c1c1e90690", 1);  // movzx (%rdi), %eax; mov %eax, %ecx; shr $6, %ecx
  ASSERT_TRUE(x86);
  EXPECT_EQ(x86->low, 0);
  EXPECT_EQ(x86->high, 3);
  const auto thumb = bound(Processor::kThumb, "0878820900bf", 2);  // ldrb r0, [r1]; lsrs r2, r0, #6
  ASSERT_TRUE(thumb);
  EXPECT_EQ(thumb->high, 3);
  const auto aarch64 = bound(Processor::kAArch64, "20004039027c06531f2003d5", 2);  // ldrb w0, [x1]; lsr w2, w0, #6
  ASSERT_TRUE(aarch64);
  EXPECT_EQ(aarch64->high, 3);
}

TEST(Values, ASubtractionFromAlCompares) {
  Steps s(Processor::kX86_64);  // movzx (%rdi), %eax; mov %eax, %ecx; sub $5, %al; ja
  const auto bound = s.bound_where_not_taken("0fb60789c12c057700", 1);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->low, 0);
  EXPECT_EQ(bound->high, 5);
}

uint64_t inverse(uint64_t odd) {  // modulo 2^64, by Newton's iteration
  uint64_t out = odd;
  for (int bits = 3; bits < 64; bits *= 2) out *= 2 - odd * out;
  return out;
}

// Comparisons with numbers that are chosen so that the hashes of values.cc end in zeros, worked out backwards: each
// is an unknown of its own, and the same one when it is asked for again.
TEST(Values, MeaningsThatCollideAreToldApart) {
  constexpr uint64_t kFirst = 0x9e3779b97f4a7c15, kSecond = 0xbf58476d1ce4e5b9;
  uint64_t before = uint64_t{Meaning::kLess} * kFirst;
  before = (before ^ before >> 29) * kSecond;
  const auto colliding = [&](uint64_t i) {
    const uint64_t hash = i << 24, sum = (hash ^ hash >> 32) * inverse(kSecond);
    const uint64_t product = sum ^ sum >> 29 ^ sum >> 58;
    return Meaning{.kind = Meaning::kLess, .one = {}, .two = {.add = before ^ product * inverse(kFirst)}};
  };
  Unknowns unknowns;
  constexpr uint64_t kCount = 50'000;  // one after the other these would take 5 * 10^9 steps
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(unknowns.of(colliding(i)), Unknowns::kFirst + i);
    for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(unknowns.of(colliding(i)), Unknowns::kFirst + i);
    unknowns.clear();
  }
}

}  // namespace
}  // namespace assay::code
