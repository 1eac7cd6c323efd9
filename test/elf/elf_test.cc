// The reader of ELF files on files made here, whole, damaged and lying.
#include "elf/elf.h"
#include "test/elf/elf_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::elf {
namespace {

std::vector<std::string> names_of(const std::string& bytes) {
  const auto file = read(Bytes(bytes));
  if (!file) return {"error: " + file.error().what};
  const auto symbols = dynamic_symbols(*file);
  if (!symbols) return {"error: " + symbols.error().what};
  std::vector<std::string> names;
  for (const Symbol& s : *symbols)
    if (!s.name.empty()) names.emplace_back(s.name);
  return names;
}

void poke(std::string& bytes, uint64_t at, uint32_t value, Order order) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> 8 * (order == Order::kLittle ? i : 3 - i));
}

struct Shape {
  uint32_t bits;
  Order order;
};
class EveryShape : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(Elf, EveryShape,
                         testing::Values(Shape{32, Order::kBig}, Shape{32, Order::kLittle}, Shape{64, Order::kBig},
                                         Shape{64, Order::kLittle}));

TEST_P(EveryShape, IsReadWithoutSections) {
  ElfBuilder builder{.bits = GetParam().bits, .order = GetParam().order};
  builder.needed = {"libc.so.0"};
  builder.imports = {"socket", "bind"};
  builder.interpreter = "/lib/ld.so";
  const std::string bytes = builder.build();
  const auto file = read(Bytes(bytes));
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->problems.empty());
  EXPECT_EQ(file->segments.size(), 3u);
  EXPECT_EQ(file->dynamic_text(*file->tag(1), "needed").value(), "libc.so.0");
  EXPECT_EQ(names_of(bytes), (std::vector<std::string>{"socket", "bind"}));
  const auto extent = measure(Bytes(bytes + std::string(100, 'x')));
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->length, bytes.size());
  EXPECT_TRUE(extent->consistent);
}

TEST_P(EveryShape, CountsSymbolsByEachOfItsTables) {
  for (int kind = 0; kind < 4; ++kind) {
    ElfBuilder builder{.bits = GetParam().bits, .order = GetParam().order};
    builder.imports = {"a", "b", "c"};
    builder.hash = kind == 0;
    builder.gnu_hash = kind == 1;
    builder.mips_count = kind == 2;  // kind 3: only the distance from the symbols to their names
    EXPECT_EQ(names_of(builder.build()), (std::vector<std::string>{"a", "b", "c"})) << kind;
  }
}

TEST_P(EveryShape, SurvivesEveryTruncationAndFlip) {
  ElfBuilder builder{.bits = GetParam().bits, .order = GetParam().order};
  builder.needed = {"libc.so.0"};
  builder.imports = {"socket"};
  builder.gnu_hash = true;
  builder.hash = false;
  std::string bytes = builder.build();
  for (size_t n = 0; n < bytes.size(); ++n) {
    const std::string part = bytes.substr(0, n);
    names_of(part);
    EXPECT_FALSE(measure(Bytes(part))) << n;
  }
  for (size_t i = 0; i < bytes.size(); ++i)
    for (const int flip : {1, 0x80, 0xff}) {
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      names_of(bytes);
      (void)measure(Bytes(bytes));
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
    }
}

TEST(Elf, RefusesWhatItsHeaderContradicts) {
  std::string bytes = ElfBuilder{}.build();
  for (const size_t at : {0, 4, 5, 6, 20}) {
    std::string bad = bytes;
    bad[at] = 9;
    EXPECT_FALSE(read(Bytes(bad))) << at;
  }
}

TEST(Elf, LyingCountsEndWithAnError) {
  ElfBuilder builder;
  builder.imports = {"a"};
  std::string bytes = builder.build();
  poke(bytes, builder.hash_at + 4, 0x7fffffff, Order::kBig);
  EXPECT_TRUE(names_of(bytes)[0].starts_with("error: dynamic symbols: 2147483647")) << names_of(bytes)[0];
}

TEST(Elf, GnuHashChainWithoutEndStopsAtTheSegment) {
  ElfBuilder builder;
  builder.imports = {"a", "b"};
  builder.hash = false;
  builder.gnu_hash = true;
  std::string bytes = builder.build();
  // No chain word of the file has its lowest bit set any more: the walk ends where the segment does, and the distance
  // to the string table takes the place of the count.
  const uint64_t chains = builder.hash_at + 4 * (3 + 3) + 16 + 4 + 4;
  for (uint64_t at = chains & ~7ull; at + 4 <= bytes.size(); at += 4)
    if (at < builder.symbols_at) poke(bytes, at, 0, Order::kBig);
  EXPECT_FALSE(names_of(bytes).empty());
}

TEST(Elf, OverlappingSegmentsAreReadFromTheFirst) {
  ElfBuilder builder;
  builder.imports = {"a"};
  builder.stack_flags = 6;
  std::string bytes = builder.build();
  poke(bytes, 52 + 2 * 32, 1, Order::kBig);  // the stack segment becomes a second, empty load segment
  EXPECT_EQ(names_of(bytes), std::vector<std::string>{"a"});
}

TEST(Elf, DynamicTableIsReadPastItsStatedSize) {  // as loaders do
  ElfBuilder builder;
  builder.imports = {"a"};
  std::string bytes = builder.build();
  poke(bytes, 52 + 32 + 16, 8, Order::kBig);  // file size of PT_DYNAMIC
  EXPECT_EQ(names_of(bytes), std::vector<std::string>{"a"});
}

TEST(Elf, SegmentsPastTheEndAreNoFile) {
  std::string bytes = ElfBuilder{}.build();
  poke(bytes, 52 + 16, static_cast<uint32_t>(bytes.size() + 1), Order::kBig);
  const auto extent = measure(Bytes(bytes));
  ASSERT_FALSE(extent);
  EXPECT_EQ(extent.error().fault, Fault::kTruncated);
}

TEST(Elf, ManySectionsSharingOneEndlessNameAreCheap) {
  std::string bytes = ElfBuilder{}.build();
  const uint32_t count = 60000, table = static_cast<uint32_t>(bytes.size());
  poke(bytes, 32, table, Order::kBig);
  bytes[46] = 0, bytes[47] = 40, bytes[48] = static_cast<char>(count >> 8), bytes[49] = static_cast<char>(count & 0xff);
  std::string section(40, '\0');
  poke(section, 4, 3, Order::kBig);
  poke(section, 20, 2'000'000, Order::kBig);
  for (uint32_t i = 0; i < count; ++i) bytes += section;
  std::ranges::replace(bytes.begin() + table, bytes.end(), '\0', 'a');
  for (uint32_t i = 0; i < count; ++i) poke(bytes, table + 40ull * i + 16, table, Order::kBig);
  const auto file = read(Bytes(bytes));
  ASSERT_TRUE(file);
  for (const Section& s : file->sections) EXPECT_LE(s.name.size(), kMaxName);
}

}  // namespace
}  // namespace assay::elf
