#include "unpack/account.h"

#include <gtest/gtest.h>

#include <random>

namespace assay::unpack {
namespace {

std::string text(const std::vector<Span>& spans) {
  std::string out;
  for (const Span& s : spans)
    out += std::string(name_of(s.range)) + " " + std::to_string(s.offset) + "+" + std::to_string(s.length) + "\n";
  return out;
}

TEST(Settle, GapsArePaddingOnlyWhenTheyAreOneRun) {
  std::string bytes(16, '\0');
  bytes += "data";
  bytes += std::string(200, '\xff');
  bytes += "tail";
  EXPECT_EQ(text(settle({{Range::kHeader, 0, 4}}, Bytes(bytes))),
            "header 0+4\nunknown 4+16\npadding 20+200\nunknown 220+4\n");
  EXPECT_EQ(text(settle({{Range::kContent, 16, 4}, {Range::kHeader, 220, 4}}, Bytes(bytes))),
            "padding 0+16\ncontent 16+4\npadding 20+200\nheader 220+4\n");
}

// Against the plain definition, byte by byte.
TEST(Settle, AgreesWithPaintingEveryByte) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::vector<Span> claims;
    for (unsigned i = 0; i < random() % 8; ++i)
      claims.push_back({static_cast<Range>(random() % 5), random() % 70, random() % 20});
    constexpr int kRank[] = {2, 4, 1, 0, 3};  // by Range: header, content, padding, unknown, encrypted
    std::vector<int> painted(64, 0);
    for (const Span& c : claims)
      for (uint64_t i = c.offset; i < std::min<uint64_t>(64, c.offset + c.length); ++i)
        painted[i] = std::max(painted[i], kRank[static_cast<int>(c.range)]);
    for (const Span& s : settle(claims, Bytes(bytes)))
      for (uint64_t i = s.offset; i < s.offset + s.length; ++i)
        if (painted[i] > 0) {
          ASSERT_EQ(kRank[static_cast<int>(s.range)], painted[i]) << "byte " << i;
        }
  }
}

// Runs of every length around the shortest that counts, at every place: against a walk from byte to byte.
TEST(Settle, FindsRunsWhereverTheyStand) {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    std::string bytes;
    while (bytes.size() < 1500) {
      bytes += std::string(random() % 3 ? random() % 40 : 55 + random() % 20, static_cast<char>(random() % 3));
      bytes += std::string(random() % 3, 'x');
    }
    bytes += 'e', bytes += 'f';  // no run as a whole
    std::string expected(bytes.size(), 'u');
    for (size_t at = 0; at < bytes.size();) {
      const size_t end = std::min(bytes.find_first_not_of(bytes[at], at), bytes.size());
      if (end - at >= 64) expected.replace(at, end - at, end - at, 'p');
      at = end;
    }
    std::string found;
    for (const Span& s : settle({}, Bytes(bytes))) found.append(s.length, s.range == Range::kPadding ? 'p' : 'u');
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace assay::unpack
