// Functions of a program without symbols, sections or unwind tables: the entry, what it calls, and no more; and every
// truncation of it gives a value or an error.
#include "code/analysis.h"
#include "code/procedures.h"
#include "test/code/small_elf.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::code {
namespace {

void word(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

// Big-endian MIPS: one executable segment at 0x400000 that holds the header and, from 0x54, the code.
std::string program() {
  const uint32_t code[] = {0x27bdffe0,   // 54: addiu $sp, $sp, -32
                           0x0c10001b,   // 58: jal 0x40006c
                           0x00000000,   // 5c: nop
                           0x03e00008,   // 60: jr $ra
                           0x27bd0020,   // 64: addiu $sp, $sp, 32
                           0x00000000,   // 68: padding
                           0x03e00008,   // 6c: jr $ra
                           0x24020001};  // 70: addiu $v0, $zero, 1
  std::string out(
      "\x7f"
      "ELF\1\2\1",
      7);
  out.resize(16);
  word(out, 0x00020008);  // executable, MIPS
  for (const uint32_t v : {1u, 0x400054u, 52u, 0u, 0x50001000u}) word(out, v);
  for (const uint32_t v : {0x00340020u, 0x00010028u, 0u}) word(out, v);
  for (const uint32_t v : {1u, 0u, 0x400000u, 0x400000u, 0x74u, 0x74u, 5u, 0x1000u}) word(out, v);
  for (const uint32_t v : code) word(out, v);
  return out;
}

TEST(Functions, EntryAndWhatItCalls) {
  const std::string bytes = program();
  const auto loaded = load(Bytes(bytes));
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->processor, Processor::kMips32Be);
  const Functions found = find_functions(*loaded);
  ASSERT_EQ(found.all.size(), 2u);
  EXPECT_EQ(found.all[0].address, 0x400054u);
  EXPECT_EQ(found.all[0].found, Found::kEntry);
  EXPECT_EQ(found.all[0].size, 0x14u);
  EXPECT_EQ(found.all[1].address, 0x40006cu);
  EXPECT_EQ(found.all[1].found, Found::kCall);
  EXPECT_EQ(found.all[1].size, 8u);
}

TEST(Functions, ProcedureDescriptorsOfMips) {
  // Nothing leads to what begins at 0x40006c once the call is none, and it is no prologue.
  std::string bytes = program();
  bytes.replace(0x58, 4, 4, '\0');
  const uint64_t table = bytes.size();
  const auto descriptor = [&](uint32_t start, uint32_t frame, uint32_t back) {
    for (const uint32_t v : {start, 0u, 0u, 0u, 0u, 0u, frame, back}) word(bytes, v);
  };
  descriptor(0x40006c, 29, 31);
  descriptor(0x400060, 28, 31);  // no frame counts from $gp
  descriptor(0x400062, 29, 31);  // no instruction's address
  descriptor(0x800000, 29, 31);  // no code
  const std::string_view whole = bytes;
  elf::File file;
  file.bytes = Bytes(whole);
  file.sections = {{.name = ".pdr", .type = 1, .offset = table, .size = whole.size() - table}};
  auto loaded = load(Bytes(whole));
  ASSERT_TRUE(loaded) << loaded.error().what;
  ASSERT_EQ(find_functions(*loaded).all.size(), 1u);
  seed_procedures(file, *loaded);
  const Functions found = find_functions(*loaded);
  ASSERT_EQ(found.all.size(), 2u);
  EXPECT_EQ(found.all[1].address, 0x40006cu);
  EXPECT_EQ(found.all[1].found, Found::kUnwind);
}

// jalx leads to microMIPS where the header says that the program has it; else to MIPS16e, which is not decoded.
TEST(Functions, JalxLeadsToWhatTheHeaderSays) {
  // jalx 0x10110; nop; jr ra; nop; and in microMIPS: jrc ra, nop
  const std::string code = from_hex(
      "74004044"
      "00000000"
      "03e00008"
      "00000000"
      "45bf0c00"
      "0c000c00");
  std::string program = SmallElf{.machine = 8, .big = true}.of(code);
  const auto second = [](const std::string& bytes) {
    const auto loaded = load(Bytes(bytes));
    EXPECT_TRUE(loaded);
    return loaded &&
           std::ranges::any_of(find_functions(*loaded).all, [](const Function& f) { return f.address == 0x10110; });
  };
  EXPECT_FALSE(second(program));
  program[36] = static_cast<char>(program[36] | 2);  // EF_MIPS_MICROMIPS
  EXPECT_TRUE(second(program));
}

TEST(Analysis, CallsLeadFromSiteToFunction) {
  const std::string bytes = program();
  const auto loaded = load(Bytes(bytes));
  ASSERT_TRUE(loaded) << loaded.error().what;
  const Analysis all = analyse(*loaded);
  ASSERT_EQ(all.calls.size(), 1u);
  EXPECT_EQ(all.calls[0].site, 0x400058u);
  EXPECT_EQ(all.calls[0].target, 0x40006cu);
  EXPECT_EQ(all.function_at(0x400070), 1u);
  EXPECT_EQ(all.function_at(0x400068), kNone);
}

TEST(Functions, TruncatedProgramsAreNoCrash) {
  const std::string whole = program();
  for (size_t n = 0; n <= whole.size(); ++n) {
    const auto loaded = load(Bytes(std::string_view(whole).substr(0, n)));
    if (loaded) {
      EXPECT_LE(find_functions(*loaded).all.size(), 2u);
    }
  }
}

}  // namespace
}  // namespace assay::code
