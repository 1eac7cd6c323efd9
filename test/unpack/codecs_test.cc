// Every codec against the tool that defines it: what the tool compressed must come back, with the exact length used,
// and every truncation must be an error.
#include "unpack/codecs.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>

#include "test/unpack/tool.h"

namespace assay::unpack {
namespace {

using Decode = Result<uint64_t> (*)(Bytes, Output&);

std::string sample() {
  std::string text;
  for (uint32_t i = 0, x = 1; i < 3000; ++i, x = x * 1664525 + 1013904223)
    text += "line " + std::to_string(x >> 20) + "\n";
  return text;
}

struct Case {
  const char *name, *command;
  Decode decode;
};

class CodecTest : public testing::TestWithParam<Case> {};

TEST_P(CodecTest, GivesBackWhatTheToolCompressed) {
  const auto packed = through(GetParam().command, sample());
  if (packed.empty()) GTEST_SKIP() << GetParam().command << " is not installed";
  MemoryOutput out(1 << 20);
  const auto used = GetParam().decode(Bytes(packed + "trailing garbage"), out);
  ASSERT_TRUE(used) << used.error().what;
  EXPECT_EQ(*used, packed.size());
  EXPECT_EQ(out.bytes().text(), sample());
}

TEST_P(CodecTest, RefusesEveryTruncation) {
  const auto packed = through(GetParam().command, sample().substr(0, 2000));
  if (packed.empty()) GTEST_SKIP() << GetParam().command << " is not installed";
  for (size_t length = 0; length < packed.size(); ++length) {
    MemoryOutput out(1 << 20);
    EXPECT_FALSE(GetParam().decode(Bytes(std::string_view(packed).substr(0, length)), out)) << length;
  }
}

TEST_P(CodecTest, SurvivesEveryFlippedByte) {
  const auto packed = through(GetParam().command, sample().substr(0, 2000));
  if (packed.empty()) GTEST_SKIP() << GetParam().command << " is not installed";
  for (size_t at = 0; at < packed.size(); ++at) {
    std::string bad = packed;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    MemoryOutput out(1 << 20);
    const auto used = GetParam().decode(Bytes(bad), out);
    EXPECT_LE(used.value_or(0), bad.size());
  }
}

TEST_P(CodecTest, PassesOnAFullOutput) {
  const auto packed = through(GetParam().command, sample());
  if (packed.empty()) GTEST_SKIP() << GetParam().command << " is not installed";
  MemoryOutput out(100);
  const auto used = GetParam().decode(Bytes(packed), out);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().fault, Fault::kLimit);
}

INSTANTIATE_TEST_SUITE_P(
    Tools, CodecTest,
    testing::Values(Case{"gzip", "gzip -9n", inflate_gzip}, Case{"bzip2", "bzip2", decode_bzip2},
                    Case{"xz", "xz --check=crc64", decode_xz}, Case{"lzma", "xz --format=lzma", decode_lzma_alone},
                    Case{"lzma_lc1lp2pb0", "xz --format=lzma --lzma1=lc=1,lp=2,pb=0", decode_lzma_alone},
                    Case{"zstd", "zstd -q --check", decode_zstd}, Case{"lz4", "lz4 -q -9 - -", decode_lz4_frame},
                    Case{"lz4legacy", "lz4 -q -l - -", decode_lz4_legacy}),
    [](const auto& given) { return std::string(given.param.name); });

TEST(Zlib, AdlerIsChecked) {
  const std::string plain = sample();
  std::string packed(compressBound(plain.size()), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                     plain.size()),
            Z_OK);
  packed.resize(size);
  MemoryOutput out(1 << 20);
  EXPECT_EQ(inflate_zlib(Bytes(packed), out).value(), size);
  EXPECT_EQ(out.bytes().text(), plain);
  MemoryOutput raw(1 << 20);
  EXPECT_EQ(inflate_raw(Bytes(std::string_view(packed).substr(2)), raw).value(), size - 6);
  packed.back() ^= 1;
  MemoryOutput bad(1 << 20);
  EXPECT_FALSE(inflate_zlib(Bytes(packed), bad));
}

TEST(LzmaRaw, KnownAndUnknownSize) {
  const std::string alone = through("xz --format=lzma", sample());
  if (alone.empty()) GTEST_SKIP() << "xz is not installed";
  const auto properties = lzma_properties(static_cast<uint8_t>(alone[0]), 8 << 20);
  ASSERT_TRUE(properties);
  const Bytes body = Bytes(alone).head(alone.size(), 13);
  MemoryOutput known(1 << 20), unknown(1 << 20), cut(1 << 20);
  EXPECT_EQ(decode_lzma_raw(body, *properties, sample().size(), known).value(), body.size());
  EXPECT_EQ(known.bytes().text(), sample());
  EXPECT_EQ(decode_lzma_raw(body, *properties, std::nullopt, unknown).value(), body.size());
  EXPECT_EQ(unknown.bytes().text(), sample());
  EXPECT_TRUE(decode_lzma_raw(body.head(body.size() / 2), *properties, std::nullopt, cut));
  EXPECT_TRUE(sample().starts_with(cut.bytes().text()));
  EXPECT_FALSE(lzma_properties(225, 1));
}

}  // namespace
}  // namespace assay::unpack
