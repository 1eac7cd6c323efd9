// One switch of four cases, two of which share a target and one of which is the default, as compilers write it for each
// processor (GNU as): it is found, and leads to exactly its targets. Cut anywhere, the
// program gives a value or an error.
#include "code/analysis.h"
#include "small_elf.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

struct SwitchCase {
  Processor processor;
  SmallElf elf;
  const char* code;
  uint64_t table;
  std::vector<uint64_t> targets;
};

void PrintTo(const SwitchCase& c, std::ostream* out) { *out << name_of(c.processor); }

class Switches : public testing::TestWithParam<SwitchCase> {};

TEST_P(Switches, LeadToTheirTargets) {
  const SwitchCase& c = GetParam();
  const std::string file = c.elf.of(from_hex(c.code));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program) << program.error().what;
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.jump_tables.size(), 1u);
  EXPECT_EQ(all.jump_tables[0].table, c.table);
  EXPECT_EQ(all.jump_tables[0].targets, c.targets);
  EXPECT_TRUE(all.jump_tables[0].bounded);
  EXPECT_EQ(all.functions.all.size(), 1u);
  EXPECT_EQ(all.functions.all[0].processor, c.processor);
  EXPECT_EQ(all.indirect_jumps_resolved, 1u);
  EXPECT_TRUE(all.bodies[0].returns);
}

TEST_P(Switches, CutAnywhereAreNoCrash) {
  const SwitchCase& c = GetParam();
  const std::string file = c.elf.of(from_hex(c.code));
  for (size_t n = 0; n < file.size(); n += 3)
    if (const auto program = load(Bytes(std::string_view(file).substr(0, n)))) {
      EXPECT_LE(analyse(*program).functions.all.size(), 8u);
    }
}

// The jump alone leads to its cases, save the default, which the comparison leads to as well.
TEST_P(Switches, CasesAreDominatedByWhatLeadsToThem) {
  const SwitchCase& c = GetParam();
  const std::string file = c.elf.of(from_hex(c.code));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.jump_tables.size(), 1u);
  uint32_t jump = kNone, cases = 0;
  for (uint32_t i = 0; i < all.blocks.size(); ++i)
    if (all.jump_tables[0].address >= all.blocks[i].address && all.jump_tables[0].address < all.blocks[i].end) jump = i;
  ASSERT_NE(jump, kNone);
  EXPECT_EQ(all.blocks[0].dominator, kNone);
  for (uint32_t i = 1; i < all.blocks.size(); ++i) {
    const Block& b = all.blocks[i];
    if (b.dominator == jump) ++cases;
    EXPECT_TRUE(b.dominator == 0 || b.dominator == jump || (b.dominator > jump && b.dominator < i)) << b.dominator;
    EXPECT_EQ(b.loop, kNone);
    EXPECT_EQ(b.loop_depth, 0);
  }
  EXPECT_GE(cases, c.targets.size() - 1);
}

// cmp w0, #3; b.ls 1f; bl stop; 1: a table of bytes by w0. Two of its cases: bl stop; mov w0, #3 behind it. What stands
// behind a call of what never returns, and is led to besides, knows nothing of what the call would have changed.
TEST(SwitchesBehindCalls, AreBoundedWhereTheCallDoesNotComeBack) {
  const SmallElf elf{.machine = 183, .wide = true};
  const std::string file =
      elf.of(from_hex("1f0c0071490000540b0000946101001020486038620000104088208b00001fd620008052c0035fd603000094"
                      "60008052c0035fd60000001400020303"));
  const auto program = load(Bytes(file));
  ASSERT_TRUE(program);
  const Analysis all = analyse(*program);
  ASSERT_EQ(all.jump_tables.size(), 1u);
  EXPECT_TRUE(all.jump_tables[0].bounded);
  EXPECT_EQ(all.jump_tables[0].targets, (std::vector<uint64_t>{0x10120, 0x10128, 0x1012c}));
}

std::vector<JumpTable> tables_of(const SmallElf& elf, std::string_view hex, size_t functions = 1) {
  const std::string file = elf.of(from_hex(hex));
  const auto program = load(Bytes(file));
  if (!program) return {};
  const Analysis all = analyse(*program);
  EXPECT_EQ(all.functions.all.size(), functions);
  return all.jump_tables;
}

// sub w0, w2, #32; cmp w0, #3; b.ls 1f; ldrb w2, [x1]; sub w0, w2, #32; cmp w0, #3; b.hi; 1: a table of bytes by w0,
// and behind its four one more that would lead into the function.
TEST(SwitchesBetweenBounds, AreBoundedByAComparisonOnEachWay) {
  const auto tables =
      tables_of({.machine = 183, .wide = true},
                "408000511f0c0071a900005422004039408000511f0c007148010054630100106448603865000010a488248b"
                "80001fd620008052c0035fd640008052c0035fd600008052c0035fd60002000401040404");
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_TRUE(tables[0].bounded);
  EXPECT_EQ(tables[0].targets, (std::vector<uint64_t>{0x10130, 0x10138, 0x10140}));
}

// The same where one of the cases reads the next byte, compares and jumps back to the table's jump.
TEST(SwitchesBetweenBounds, AreBoundedByAComparisonOnEachWayIntoALoop) {
  const auto tables =
      tables_of({.machine = 183, .wide = true},
                "408000511f0c007188010054a30100106448603865000010a488248b80001fd620008052c0035fd622144038"
                "408000511f0c0071c9feff5400008052c0035fd60002000601060606");
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_TRUE(tables[0].bounded);
  EXPECT_EQ(tables[0].targets, (std::vector<uint64_t>{0x10120, 0x10128, 0x10138}));
  // cmp w0, #4 on the way back: five entries.
  const auto wider =
      tables_of({.machine = 183, .wide = true},
                "408000511f0c007188010054a30100106448603865000010a488248b80001fd620008052c0035fd622144038"
                "408000511f100071c9feff5400008052c0035fd60002000601060606");
  ASSERT_EQ(wider.size(), 1u);
  EXPECT_EQ(wider[0].targets, (std::vector<uint64_t>{0x10120, 0x10124, 0x10128, 0x10138}));
}

// Clang, where no other case can be: movzbl (%rdi), %eax; add $-5, %eax; jmp *table(,%rax,8), twice. One table lies
// behind the other, both hold the function's end, where the next begins, for what cannot be.
TEST(SwitchesWithoutBounds, BeginAtWhatIsTakenOffAndEndAtTheNextTable) {
  const auto tables =
      tables_of({62, true, false, 0x10100},
                "0fb60783c0fbff24c5380101000fb6470183c0fbff24c550010100e80d000000c3b803000000c3b804000000"
                "c3b801000000c30f1f4400000d010100000000002d010100000000001b010100000000002101010000000000"
                "2d010100000000002701010000000000",
                2);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].table, 0x10138u);
  EXPECT_EQ(tables[0].targets, (std::vector<uint64_t>{0x1010d, 0x1011b, 0x1012d}));
  EXPECT_EQ(tables[1].table, 0x10150u);
  EXPECT_EQ(tables[1].targets, (std::vector<uint64_t>{0x10121, 0x10127, 0x1012d}));
  EXPECT_FALSE(tables[0].bounded);
  // ldrb r0, [r0]; subs r0, #5; tbb [pc, r0]
  const auto thumb = tables_of({40, false, false, 0x10101}, "00780538dfe800f002040602012070470220704703207047");
  ASSERT_EQ(thumb.size(), 1u);
  EXPECT_EQ(thumb[0].table, 0x10108u);
  EXPECT_EQ(thumb[0].targets, (std::vector<uint64_t>{0x1010c, 0x10110, 0x10114}));
}

INSTANTIATE_TEST_SUITE_P(
    All, Switches,
    testing::Values(
        SwitchCase{Processor::kX86_64,
                   {62, true, false, 0x10100},
                   "83ff03771e488d151c00000089ff486304ba4801d0ffe0b801000000c3b802000000c331c0c36690efffffff"
                   "f5ffffffeffffffffbffffff",
                   0x10128,
                   {0x10117, 0x1011d, 0x10123}},
        SwitchCase{Processor::kX86,
                   {3, false, false, 0x10100},
                   "8b44240483e80583f8037713ff248524010100b801000000c3b802000000c331c0c366901301010019010100"
                   "130101001f010100",
                   0x10124,
                   {0x10113, 0x10119, 0x1011f}},
        SwitchCase{Processor::kAArch64,
                   {183, true, false, 0x10100},
                   "1f0c0071480100546101001021486038620000104188218b20001fd620008052c0035fd640008052c0035fd6"
                   "00008052c0035fd600020004",
                   0x10134,
                   {0x1011c, 0x10124, 0x1012c}},
        SwitchCase{Processor::kArm,
                   {40, false, false, 0x10100},
                   "030050e300f18f90070000ea020000ea030000ea000000ea030000ea0100a0e31eff2fe10200a0e31eff2fe1"
                   "0000a0e31eff2fe1",
                   0x1010c,
                   {0x1011c, 0x10124, 0x1012c}},
        // sub sp, sp, #8; ldr r0, [sp, #4]; cmp r0, #3; addls pc, pc, r0, lsl #2: no table at the stack's address.
        SwitchCase{Processor::kArm,
                   {40, false, false, 0x10100},
                   "08d04de204009de5030050e300f18f90070000ea020000ea030000ea020000ea030000ea0100a0e3020000ea"
                   "0200a0e3000000ea0400a0e308d08de21eff2fe1",
                   0x10114,
                   {0x10124, 0x1012c, 0x10134}},
        // The same with mov r0, #9, as it seems where r0 was kept in what a callee wrote.
        SwitchCase{Processor::kArm,
                   {40, false, false, 0x10100},
                   "08d04de20900a0e3030050e300f18f90070000ea020000ea030000ea020000ea030000ea0100a0e3020000ea"
                   "0200a0e3000000ea0400a0e308d08de21eff2fe1",
                   0x10114,
                   {0x10124, 0x1012c, 0x10134}},
        SwitchCase{Processor::kThumb,
                   {40, false, false, 0x10101},
                   "032807d8dfe800f002040206012070470220704700207047",
                   0x10108,
                   {0x1010c, 0x10110, 0x10114}},
        SwitchCase{Processor::kMips32Be,
                   {8, false, true, 0x10100},
                   "2c8200041040000a000420803c030001006418218c630138006000080000000003e000082402000103e00008"
                   "2402000203e0000824020000000101200001012800010120000101300000000000000000",
                   0x10138,
                   {0x10120, 0x10128, 0x10130}},
        SwitchCase{Processor::kPpc32,
                   {20, false, true, 0x10100},
                   "2b830003419d00303d2000015463103a3929013c7d49182e7d4a4a147d4903a64e800420386000014e800020"
                   "386000024e800020386000004e800020ffffffe8fffffff0ffffffe8fffffff8",
                   0x1013c,
                   {0x10124, 0x1012c, 0x10134}},
        SwitchCase{Processor::kRiscv64,
                   {243, true, false, 0x10100},
                   "8d4763e0a7021707000013072702021579813a9508413a9502850545828009458280014582800100f2ffffff"
                   "f6fffffff2fffffffaffffff",
                   0x10128,
                   {0x1011a, 0x1011e, 0x10122}}));

}  // namespace
}  // namespace assay::code
