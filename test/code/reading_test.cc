// What is said of whole programs: references, system calls, the stubs of imports, names, and what was not followed.
#include "code/reading.h"
#include "code/answer.h"
#include "code/listing.h"
#include "small_elf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

constexpr SmallElf kX86{62, true, false, 0x10100};
constexpr SmallElf k386{3, false, false, 0x10100};
constexpr SmallElf kThumb{40, false, false, 0x10101};
constexpr SmallElf kMips{8, false, true, 0x10100};
constexpr SmallElf kRiscv{243, true, false, 0x10100};

TEST(Reading, ReferencesAndSystemCalls) {
  // lea 0xc(%rip), %rsi; mov $60, %eax; syscall; ret, then the text
  const std::string file = kX86.of(from_hex("488d3508000000b83c0000000f05c36f70656e207365736d6500"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.references.size(), 1u);
  EXPECT_EQ(all.references[0].from, 0x10100u);
  EXPECT_EQ(all.references[0].to, 0x1010fu);
  EXPECT_EQ(all.references[0].use, Use::kString);
  EXPECT_EQ(string_at(*program, 0x1010f), "open sesme");
  ASSERT_EQ(all.system_calls.size(), 1u);
  EXPECT_EQ(all.system_calls[0].site, 0x1010cu);
  EXPECT_EQ(all.system_calls[0].number, 60u);
}

TEST(Reading, WhatAnInnerLoopChangesIsUnknownInTheOuterOne) {
  // xor %edx, %edx; xor %eax, %eax; outer: mov %edx, %eax; int $0x80; inner: test %edi, %edi; jz 1f; inc %edx; dec
  // %edi; jmp inner; 1: xor %eax, %eax; test %esi, %esi; jnz outer; ret. The inner loop's second turn alone changes
  // what the outer one begins with.
  const std::string file = k386.of(from_hex("31d231c089d0cd8085ff7404424febf831c085f675eec3"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.system_calls.size(), 1u);
  EXPECT_EQ(all.system_calls[0].number, std::nullopt);
}

TEST(Reading, TheKernelsAnswerIsNotTheNextCallsNumber) {
  const std::string file = kX86.of(from_hex("b8270000000f050f05c3"));  // mov $39, %eax; syscall; syscall; ret
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.system_calls.size(), 2u);
  EXPECT_EQ(all.system_calls[0].number, 39u);
  EXPECT_EQ(all.system_calls[1].number, std::nullopt);
}

TEST(Reading, TheSlotOfALikelyBranchIsSeenWhereItRan) {
  // lui $v0, 1; beql $a0, $a1, 1f; addiu $v0, $v0, 0x118; 1: jr $ra; nop; nop, then the text
  const std::string file = kMips.of(from_hex("3c020001508500012442011803e0000800000000000000006f70656e207365736d6500"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.references.size(), 1u);
  EXPECT_EQ(all.references[0].from, 0x10108u);
  EXPECT_EQ(all.references[0].to, 0x10118u);
}

TEST(Reading, WhatRiscvsStartSetsTheGlobalPointerTo) {
  // auipc gp, 0; addi gp, gp, 0x40; addi a0, gp, -0x30; ret, then the text
  const std::string file = kRiscv.of(from_hex("9701000093810104138501fd828000006f70656e207365736d6500"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  EXPECT_EQ(program->global_pointer, 0x10140u);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.references.size(), 1u);
  EXPECT_EQ(all.references[0].from, 0x10108u);
  EXPECT_EQ(all.references[0].to, 0x10110u);
  // The first two again: another value, from another address.
  const std::string again = kRiscv.of(from_hex("97010000938101049701000093810104138501fd8280"));
  const auto twice = load(Bytes(again));
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->global_pointer, 0u);
}

TEST(Reading, ABlockOfTheCalleeDoesNotReachIntoTheCaller) {
  // bl f; bx lr; b .; f: itt eq; streq r0, [r1]; streq r0, [r1]; bx lr
  const std::string file = kThumb.of(from_hex("00f002f87047fee704bf086008607047"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_FALSE(all.bodies.empty());
  EXPECT_EQ(all.bodies[0].instructions, 2u);
}

TEST(Reading, ACallThatChangesTheInstructionSetLeadsToArm) {
  // push {r4, lr}; blx f; pop {r4, pc}; f: mov r0, #1; bx lr
  const std::string file = kThumb.of(from_hex("10b500f002e810bd0100a0e31eff2fe1"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.functions.all.size(), 2u);
  EXPECT_EQ(all.functions.all[1].address, 0x10108u);
  EXPECT_EQ(all.functions.all[1].processor, Processor::kArm);
  EXPECT_EQ(all.bodies[1].instructions, 2u);
}

TEST(Reading, WhatThumbLoadsIsNotReadAsInstructions) {
  // movs r1, #0; ldr r0, literal; bl f; literal: 0x22002100; f: b f
  const std::string file = kThumb.of(from_hex("0021014800f002f800210022fee7"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  EXPECT_EQ(analyse(*program).functions.instructions, 4u);
}

TEST(Reading, AnIndirectCallIsResolvedWhereItLeadsToCode) {
  // lea target(%rip), %rax; call *%rax; ret; target: ret. Then the same into what is not mapped.
  const std::string code = kX86.of(from_hex("488d0503000000ffd0c3c3"));
  const auto good = load(Bytes(code));
  ASSERT_TRUE(good);
  EXPECT_EQ(Reading(*good).unit().indirect_calls_resolved, 1u);
  const std::string nowhere = kX86.of(from_hex("488d0503000070ffd0c3c3"));
  const auto bad = load(Bytes(nowhere));
  ASSERT_TRUE(bad);
  const CodeUnit unit = Reading(*bad).unit();
  EXPECT_EQ(unit.indirect_calls, 1u);
  EXPECT_EQ(unit.indirect_calls_resolved, 0u);
}

TEST(Reading, BytesThatAreNoInstructionCountOnceHoweverManyWaysLeadThere) {
  // jz bad; jz bad; jz bad; ret; bad: 06 (no instruction of 64-bit code)
  const std::string file = kX86.of(from_hex("740574037401c306"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  EXPECT_EQ(Reading(*program).unit().undecodable, 1u);
}

TEST(Reading, WhatIsTooLargeToFollowIsSaid) {
  std::string code;  // jz +0, again and again: each starts a block
  for (int i = 0; i < 20100; ++i) code += from_hex("7400");
  const std::string file = kX86.of(code + "\xc3");
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  EXPECT_EQ(Reading(*program).unit().unread, "1 function too large to follow values in");
}

TEST(Reading, CallersThatAreLeftOffAreCounted) {
  constexpr uint32_t kCalls = 1005;
  std::string code;  // calls of what lies behind them all: ret
  for (uint32_t i = 0; i < kCalls; ++i) {
    const uint32_t distance = 5 * (kCalls - 1 - i) + 1;
    code += '\xe8';
    for (int shift = 0; shift < 32; shift += 8) code += static_cast<char>(distance >> shift);
  }
  const std::string file = kX86.of(code + "\xc3\xc3");
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  Reading reading(*program);
  const CodeListing called = listing(reading, reading.analysis.function_at(0x10100 + code.size() + 1), 10);
  EXPECT_EQ(called.callers.size(), 1000u);
  EXPECT_EQ(called.callers_left_off, kCalls - 1000);
}

// Code at 0x1000 that the dynamic linker gives one word, at 0x2000: the address of puts.
Program linked(Processor processor, Processor entry, Order order, const std::string& code, const std::string& word) {
  Program out;
  out.processor = processor, out.order = order;
  out.pointer = static_cast<uint32_t>(word.size());
  out.code = {{.address = 0x1000, .bytes = Bytes(code), .executable = true}};
  out.data = {out.code[0], {.address = 0x2000, .bytes = Bytes(word), .writable = true}};
  out.seeds = {{.address = 0x1000, .processor = entry, .found = Found::kEntry, .sure = Sure::kCertain}};
  out.imports = {{.name = "puts", .slot = 0x2000}};
  out.filled = {{.address = 0x2000, .import = 0}};
  out.has_sections = true;
  return out;
}

TEST(Reading, TheStubOfAnImportIsTheFirstThatIsCalled) {
  // call 2f; call 1f; ret; 1: jmp *word(%rip); 2: jmp *word(%rip)
  const std::string code = from_hex("e80c000000e801000000c3ff25ef0f0000ff25e90f0000"), word(8, '\0');
  const Program program = linked(Processor::kX86_64, Processor::kX86_64, Order::kLittle, code, word);
  const Analysis all = analyse(program);
  ASSERT_EQ(all.calls.size(), 2u);
  EXPECT_EQ(all.calls[0].import, 0u);
  EXPECT_EQ(all.calls[1].import, 0u);
  EXPECT_EQ(all.imports[0].stub, 0x100bu);
  EXPECT_EQ(all.functions.all.size(), 1u);
}

TEST(Reading, WhatIsHandedToOthersOrStandsInATableIsAFunction) {
  // lea 0x1040, %rdx; call pthread_create; lea 0x1050, %rsi; call signal; lea 0x1060, %rcx; call qsort; lea 0x1070,
  // %rax; mov %rax, (%rsp); mov %rsp, %rsi; call sigaction; ret; then six functions: push %rbp; pop %rbp; ret
  std::string code = from_hex(
      "488d1539000000ff15f30f0000488d353c000000ff15ee0f0000488d0d3f000000ff15e90f0000488d054200000048890424"
      "4889e6ff15dd0f0000c3cccccccc");
  for (int i = 0; i < 6; ++i) code += from_hex("555dc3cccccccccccccccccccccccccc");
  const std::string words(32, '\0');
  Program program = linked(Processor::kX86_64, Processor::kX86_64, Order::kLittle, code, words);
  program.pointer = 8;
  program.imports = {{.name = "pthread_create", .slot = 0x2000},
                     {.name = "signal", .slot = 0x2008},
                     {.name = "qsort", .slot = 0x2010},
                     {.name = "sigaction", .slot = 0x2018}};
  program.filled = {{.address = 0x2000, .import = 0},
                    {.address = 0x2008, .import = 1},
                    {.address = 0x2010, .import = 2},
                    {.address = 0x2018, .import = 3}};
  program.pointers = {0x1080, 0x1090};  // of a class's table
  const Analysis all = analyse(program);
  ASSERT_EQ(all.functions.all.size(), 7u);
  for (uint32_t i = 1; i < 7; ++i) {
    EXPECT_EQ(all.functions.all[i].address, 0x1030 + 0x10 * i);
    EXPECT_EQ(all.functions.all[i].found, Found::kPointer) << i;
  }
  std::vector<std::pair<uint64_t, uint64_t>> handed;  // where, and what
  for (const Call& c : all.calls)
    if (c.kind == CallKind::kCallback) handed.emplace_back(c.site, c.target);
  const std::vector<std::pair<uint64_t, uint64_t>> want = {{0x1007, 0x1040}, {0x1014, 0x1050}, {0x1021, 0x1060}};
  EXPECT_EQ(handed, want);
  // A handler that is put into a structure is no argument; that its address is taken is a reference.
  const auto taken = std::ranges::find(all.references, uint64_t{0x1070}, &Reference::to);
  ASSERT_NE(taken, all.references.end());
  EXPECT_EQ(taken->from, 0x1027u);
  EXPECT_EQ(taken->use, Use::kFunction);
}

TEST(Reading, AVeneerLeadsFromThumbToArmInBothByteOrders) {
  // bl 1f; bx lr; nop; 1: bx pc; nop; then ARM's ldr pc, [pc, #0xfec], which is the word
  const std::string little = from_hex("00f002f87047c0467847c046ecff9fe5"),
                    big = from_hex("f000f802477046c0477846c0e59fffec");
  const std::string word(4, '\0');
  for (const auto& [order, code] : {std::pair(Order::kLittle, little), std::pair(Order::kBig, big)}) {
    const bool is_big = order == Order::kBig;
    const Program program = linked(is_big ? Processor::kArmBe : Processor::kArm,
                                   is_big ? Processor::kThumbBe : Processor::kThumb, order, code, word);
    const Analysis all = analyse(program);
    ASSERT_EQ(all.calls.size(), 1u) << is_big;
    EXPECT_EQ(all.calls[0].import, 0u) << is_big;
    EXPECT_EQ(all.imports[0].stub, 0x1008u) << is_big;
  }
}

TEST(Reading, LinesOfPseudoCAreCountedAlone) {
  const std::string file =
      kX86.of(from_hex("ffc0ffc1ffc2ffc6ffc7ffc0ffc1ffc2ffc6ffc7ffc0ffc1ffc2ffc6ffc7c3"));  // inc, …; ret
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  Reading reading(*program);
  const uint64_t lines = listing(reading, 0, 1000, "c").lines.size();
  ASSERT_LT(lines, 15u);
  EXPECT_EQ(listing(reading, 0, lines, "c").lines_left_off, 0u);
  const CodeListing cut = listing(reading, 0, lines - 1, "c");
  EXPECT_EQ(cut.lines.size(), lines - 1);
  EXPECT_EQ(cut.lines_left_off, 1u);
}

TEST(Names, ARepeatedNameIsPaidForOnce) {
  // f(pair<int, int>, …): 11 levels of two references each, 100 KB shown; ten thousand of them exceed the budget.
  std::string name = "_Z1fSt4pairIiiE";
  for (int level = 0; level < 7; ++level) name += "S_IS0_S0_E";
  Names names;
  const std::string shown = names.shown(name);
  ASSERT_NE(shown, name);
  for (size_t i = 0; i < (size_t{64} << 20) / shown.size() + 2; ++i) EXPECT_EQ(names.shown(name).size(), shown.size());
  EXPECT_EQ(names.shown("_ZN4Gate4openEi"), "Gate::open(int)");
}

}  // namespace
}  // namespace assay::code
