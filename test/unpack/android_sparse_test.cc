// Android sparse images against img2simg, and chunks it does not write.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

constexpr const char* kId = "android-sparse";

std::string chunk(uint16_t type, uint32_t blocks, const std::string& data) {
  return little(type, 2) + little(0, 2) + little(blocks) + little(12 + data.size()) + data;
}

std::string header(uint32_t blocks, uint32_t chunks, uint32_t crc = 0) {
  return "\x3a\xff\x26\xed" + little(1, 2) + little(0, 2) + little(28, 2) + little(12, 2) + little(512) +
         little(blocks) + little(chunks) + little(crc);
}

std::string sample(uint32_t crc_change = 0) {
  std::string fill;
  for (int i = 0; i < 128; ++i) fill += "abcd";
  const std::string whole = HostTree::words(1024) + fill + std::string(512, '\0');
  const uint32_t crc = crc32(Bytes(whole)) ^ crc_change;
  return header(4, 4, crc) + chunk(0xcac1, 2, HostTree::words(1024)) + chunk(0xcac2, 1, "abcd") + chunk(0xcac3, 1, "") +
         chunk(0xcac4, 0, little(crc));
}

TEST(AndroidSparse, ReadsEveryKindOfChunk) {
  const std::string image = sample();
  const auto length = measured(kId, image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  const Collect got = unpacked(kId, image);
  EXPECT_TRUE(got.problems.empty());
  ASSERT_EQ(got.items.size(), 1u);
  std::string fill;
  for (int i = 0; i < 128; ++i) fill += "abcd";
  EXPECT_TRUE(got.items[0].content == HostTree::words(1024) + fill + std::string(512, '\0'));
  ASSERT_EQ(got.integrities.size(), 2u);
  EXPECT_EQ(got.integrities[0].state, "valid");
  EXPECT_EQ(got.integrities[1].state, "valid");
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(AndroidSparse, SaysWhenChecksumsDoNotHold) {
  const Collect got = unpacked(kId, sample(1));
  ASSERT_EQ(got.integrities.size(), 2u);
  EXPECT_EQ(got.integrities[0].state, "invalid");
  EXPECT_EQ(got.integrities[1].state, "invalid");
}

TEST(AndroidSparse, RefusesLiesAndTruncations) {
  const std::string image = sample();
  for (size_t length = 0; length < image.size(); ++length) EXPECT_FALSE(measured(kId, image.substr(0, length)));
  std::string lying = image;
  put(lying, 16, little(5));
  EXPECT_FALSE(measured(kId, lying)) << "blocks do not add up";
  lying = image;
  put(lying, 28 + 8, little(12 + 512));
  EXPECT_FALSE(measured(kId, lying)) << "a raw chunk shorter than its blocks";
  lying = image;
  put(lying, 4, little(2, 2));
  EXPECT_EQ(measured(kId, lying).error().fault, Fault::kUnsupported);
  survives(kId, image);
}

TEST(AndroidSparse, EqualsWhatImg2simgWasGiven) {
  if (!installed("img2simg")) GTEST_SKIP() << "img2simg is not installed";
  const std::string raw =
      HostTree::words(100'352) + std::string(40'960, '\0') + std::string(8192, '\x55') + HostTree::noise(8192);
  const Scratch scratch;
  std::ofstream(scratch.path() + "/in", std::ios::binary) << filled(raw, 40 * 4096);
  ASSERT_TRUE(scratch.run("img2simg in out"));
  const std::string image = slurp(scratch.path() + "/out");
  const auto length = measured(kId, image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  const Collect got = unpacked(kId, image);
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_TRUE(got.items[0].content == filled(raw, 40 * 4096));
}

TEST(AndroidSparse, OfNoChunkEndsWithItsHeader) {
  std::string image = "\x3a\xff\x26\xed" + little(1, 2) + little(0, 2) + little(28, 2) + little(12, 2) + little(4096);
  image.resize(28);  // no blocks, no chunks, no checksum
  ASSERT_TRUE(measured("android-sparse", image));
  EXPECT_EQ(measured("android-sparse", image)->length, 28u);
  put(image, 8, little(0x356f, 2));
  EXPECT_EQ(measured("android-sparse", image).error().fault, Fault::kTruncated);
}

}  // namespace
}  // namespace assay::unpack
