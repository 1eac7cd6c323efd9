// SHA-256 of several contents together against libcrypto, one by one.
#include "core/sha256_lanes.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay {
namespace {

std::vector<std::byte> noise(size_t size) {
  std::vector<std::byte> bytes(size);
  uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

void expect_same(const std::vector<Bytes>& contents) {
  std::vector<Digest> together(contents.size());
  sha256_each(contents, together);
  for (size_t i = 0; i < contents.size(); ++i)
    EXPECT_EQ(together[i].hex(), sha256(contents[i]).hex()) << i << ", " << contents[i].size() << " bytes";
}

TEST(Sha256Lanes, EveryLengthAroundBlocks) {
  const auto bytes = noise(1000);
  std::vector<Bytes> contents;
  for (size_t length = 0; length <= 300; ++length)
    contents.push_back(Bytes(std::span<const std::byte>(bytes)).head(length, length % 7));
  expect_same(contents);
}

TEST(Sha256Lanes, UnequalLengths) {
  const auto bytes = noise(1 << 20);
  const Bytes all{std::span<const std::byte>(bytes)};
  expect_same({});
  expect_same({all});
  expect_same({all, all.head(1)});
  expect_same({Bytes(), all.head(64), all, all.head(65), all.head(100'000, 3), Bytes()});
}

TEST(Sha256Lanes, KnownDigest) {  // FIPS 180-4 example, NIST CAVP
  const Bytes abc("abc"), none;
  const std::vector<Bytes> contents{abc, none};
  std::vector<Digest> digests(2);
  sha256_each(contents, digests);
  EXPECT_EQ(digests[0].hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digests[1].hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace assay
