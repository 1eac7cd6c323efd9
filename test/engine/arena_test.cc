// What an arena gives back is what was appended, whatever the pieces, and so it is for who maps it.
#include "engine/arena.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace assay::engine {
namespace {

void give_back(uint64_t held_back) {
  std::mt19937 random(3);
  auto made = SharedArena::create(1);
  ASSERT_TRUE(made);
  SharedArena arena = std::move(*made);
  arena.hold_back(held_back);
  std::string expected;
  constexpr size_t kSizes[] = {1, 100, 4096, 65'536, 262'143, 262'144, 262'145, 700'000};
  for (int round = 0; round < 60; ++round) {
    std::string piece(kSizes[random() % std::size(kSizes)], '\0');
    for (size_t i = 0; i < piece.size(); i += 97) piece[i] = static_cast<char>(random());
    const size_t before = expected.size();
    ASSERT_TRUE(arena.append(std::as_bytes(std::span(piece))));
    expected += piece;
    ASSERT_EQ(arena.size(), expected.size());
    ASSERT_TRUE(arena.recent(before, piece.size()).text() == piece) << "round " << round;
    if (random() % 8 == 0) {
      const size_t kept = random() % (expected.size() + 1);
      arena.truncate(kept);
      expected.resize(kept);
    }
    if (random() % 8 == 0) {
      ASSERT_TRUE(arena.view(0, expected.size()).text() == expected) << "round " << round;
    }
  }
  arena.flush();
  ASSERT_TRUE(arena.holds(0, expected.size()));
  EXPECT_TRUE(arena.view(0, expected.size()).text() == expected);
}

TEST(SharedArena, GivesBackWhatWasAppended) { give_back(0); }
TEST(SharedArena, GivesBackWhatWaits) { give_back(1'000'000); }

// What is forgotten in time is in no file.
TEST(SharedArena, WritesNothingThatIsTruncatedBefore) {
  auto made = SharedArena::create(1);
  ASSERT_TRUE(made);
  made->hold_back(1 << 20);
  const std::string piece(300'000, 'x');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(made->append(std::as_bytes(std::span(piece))));
    made->truncate(0);
  }
  made->flush();
  EXPECT_FALSE(made->holds(0, 1));
}

// Two contents have one likeness where they are the same; another run's says nothing.
TEST(Likeness, TellsContentsApart) {
  const auto likeness = Likeness::of_this_run(), other = Likeness::of_this_run();
  ASSERT_TRUE(likeness && other);
  std::set<Digest> seen;
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    seen.insert(likeness->of(Bytes(bytes)));
    EXPECT_EQ(likeness->of(Bytes(bytes)), likeness->of(Bytes(std::string(bytes))));
    bytes += '\0';  // zeros behind it are another content
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_NE(likeness->of(Bytes(bytes)), other->of(Bytes(bytes)));
  auto made = SharedArena::create(1);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->digest(Bytes(bytes)), sha256(Bytes(bytes)));
  made->tell_apart_by(likeness);
  EXPECT_EQ(made->digest(Bytes(bytes)), likeness->of(Bytes(bytes)));
}

}  // namespace
}  // namespace assay::engine
