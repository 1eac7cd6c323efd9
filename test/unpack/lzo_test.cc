// LZO1X against lzop, whose files hold one LZO1X stream per block, and against streams written by hand.
#include <gtest/gtest.h>

#include "core/hash.h"
#include "test/unpack/tool.h"
#include "unpack/codecs.h"

namespace assay::unpack {
namespace {

// Text, noise, runs of zeros and repeats at far distances: every kind of instruction.
std::string sample(size_t size) {
  std::string text;
  for (uint32_t x = 1; text.size() < size; x = x * 1664525 + 1013904223) {
    const uint32_t kind = x >> 29;
    if (kind < 3) text += "line " + std::to_string(x >> 20) + "\n";
    if (kind == 3) text.append(x >> 20 & 1023, '\0');
    if (kind == 4)
      for (uint32_t i = 0, y = x; i < (x >> 16 & 255); ++i, y = y * 69069 + 1)
        text.push_back(static_cast<char>(y >> 24));
    if (kind > 4 && text.size() > 60000) text += text.substr(text.size() - 17000 - (x >> 8 & 0x7fff), x >> 24);
  }
  return text.substr(0, size);
}

// The blocks of an lzop file as (decoded size, stream); a stored block has no stream.
struct Block {
  uint32_t size;
  Bytes stream;
};
std::vector<Block> blocks_of(const std::string& file) {
  std::vector<Block> blocks;
  const Bytes b(file);
  const uint32_t flags = b.be<uint32_t>(17, "").value_or(0);
  uint64_t at = 33;  // the header without method-specific fields
  at += 1 + b[at] + 4;
  for (;;) {
    const uint32_t decoded = b.be<uint32_t>(at, "").value_or(0), packed = b.be<uint32_t>(at + 4, "").value_or(0);
    if (decoded == 0) return blocks;
    at += 8 + ((flags & 1) ? 4 : 0) + ((flags & 0x100) ? 4 : 0);
    if (packed < decoded) at += ((flags & 2) ? 4 : 0) + ((flags & 0x200) ? 4 : 0);
    blocks.push_back({decoded, packed < decoded ? b.head(packed, at) : Bytes()});
    at += packed;
  }
}

class LzoTest : public testing::TestWithParam<int> {};

TEST_P(LzoTest, GivesBackWhatLzopCompressed) {
  const std::string text = sample(700'000);
  const std::string file = through("lzop -c -" + std::to_string(GetParam()), text);
  if (file.empty()) GTEST_SKIP() << "lzop is not installed";
  uint64_t at = 0, decoded = 0;
  for (const Block& block : blocks_of(file)) {
    if (!block.stream.empty()) {
      MemoryOutput out(1 << 20);
      const auto good = decode_lzo1x(block.stream, block.size, out);
      ASSERT_TRUE(good) << good.error().what;
      EXPECT_TRUE(out.bytes().text() == std::string_view(text).substr(at, block.size));
      ++decoded;
    }
    at += block.size;
  }
  EXPECT_EQ(at, text.size());
  EXPECT_GE(decoded, 2u);
}

INSTANTIATE_TEST_SUITE_P(Levels, LzoTest, testing::Values(1, 3, 7, 9));

TEST(Lzo, RefusesTruncationsAndSurvivesFlips) {
  const std::string file = through("lzop -c -9", sample(70'000));
  if (file.empty()) GTEST_SKIP() << "lzop is not installed";
  const auto blocks = blocks_of(file);
  ASSERT_FALSE(blocks.empty());
  const std::string stream(blocks[0].stream.text());
  for (size_t length = 0; length < stream.size(); length += 1 + length / 300) {
    MemoryOutput out(1 << 20);
    EXPECT_FALSE(decode_lzo1x(Bytes(std::string_view(stream).substr(0, length)), 1 << 20, out)) << length;
  }
  for (size_t at = 0; at < stream.size(); at += 1 + at / 300) {
    std::string bad = stream;
    bad[at] = static_cast<char>(bad[at] ^ 0x5a);
    MemoryOutput out(1 << 20);
    (void)decode_lzo1x(Bytes(bad), blocks[0].size, out);
    EXPECT_LE(out.written(), blocks[0].size);
  }
}

std::string decoded(std::string_view stream, uint64_t most = 100) {
  MemoryOutput out(1000);
  const auto good = decode_lzo1x(Bytes(stream), most, out);
  return good ? std::string(out.bytes().text()) : "error: " + good.error().what;
}

TEST(Lzo, ReadsTheInstructionsAsDocumented) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(decoded("\x11\0\0"sv), "");
  EXPECT_EQ(decoded("\x15"
                    "abcd"
                    "\x11\0\0"sv),
            "abcd");
  EXPECT_EQ(decoded("\x15"
                    "abcd"
                    "\x4c\0"
                    "\x11\0\0"sv),
            "abcdabc");  // 3 bytes from distance 4
  EXPECT_EQ(decoded("\x13"
                    "ab"
                    "\x04\0"
                    "\x11\0\0"sv),
            "abab");  // after 2 literals: 2 bytes from distance 2
  EXPECT_EQ(decoded("\x11\1\2"
                    "hello"
                    "\x18\xfd\xff\0!"
                    "\x11\0\0"sv),
            "hello\0\0\0\0!"sv);  // version 1, 4 zeros
  EXPECT_EQ(decoded("\x15"
                    "abcd"
                    "\x4c\0"
                    "\x11\0\0"sv,
                    6)
                .substr(0, 5),
            "error");
  EXPECT_EQ(decoded("\x15"
                    "abcd"
                    "\x50\0"
                    "\x11\0\0"sv)
                .substr(0, 5),
            "error");  // distance 5 of 4
  EXPECT_EQ(decoded("\x15"
                    "abcd"
                    "\x11\0\0x"sv)
                .substr(0, 5),
            "error");  // bytes after the end
}

}  // namespace
}  // namespace assay::unpack
