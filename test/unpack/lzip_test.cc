// lzip against the tool of that name.
#include "test/unpack/build.h"

namespace assay::unpack {
namespace {

// Runs, text, and in the end noise.
std::string sample() {
  std::string text(3000, 'a');
  uint32_t x = 1;
  for (uint32_t i = 0; i < 60000; ++i, x = x * 1664525 + 1013904223) text += "line " + std::to_string(x >> 20) + "\n";
  for (uint32_t i = 0; i < 200000; ++i, x = x * 1664525 + 1013904223) text.push_back(static_cast<char>(x >> 24));
  return text;
}

TEST(Lzip, ReadsWhatLzipWrote) {
  const std::string one = through("lzip -9", sample()), two = through("lzip", "second");
  if (one.empty()) GTEST_SKIP() << "lzip is not installed";
  MemoryOutput out(4 << 20);
  const auto got = format("lzip").decode(Bytes(one + two + "tail"), out);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->length, one.size() + two.size());
  EXPECT_TRUE(out.bytes().text() == sample() + "second");
  for (size_t i = 0; i < two.size(); ++i) {
    MemoryOutput again(1000);
    EXPECT_FALSE(format("lzip").decode(Bytes(std::string_view(two).substr(0, i)), again)) << i;
    std::string damaged = two;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    MemoryOutput other(1000);
    if (i != 5) {
      EXPECT_FALSE(format("lzip").decode(Bytes(damaged), other)) << i;  // byte 5: the dictionary may be larger
    }
  }
}

TEST(Lzip, Sample) {
  const std::string bytes = shared_file("format-samples/patool/test.tar.lz");
  if (bytes.empty()) GTEST_SKIP() << "no samples beside the checkout";
  MemoryOutput out(1 << 20);
  ASSERT_TRUE(format("lzip").decode(Bytes(bytes), out));
  EXPECT_EQ(out.bytes().head(5, 257).text(), "ustar");
}

}  // namespace
}  // namespace assay::unpack
