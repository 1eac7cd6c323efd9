// What is known of addresses, against std::map: addresses that a program spreads, and addresses chosen so that they
// collide, whatever the size of the table.
#include "code/address_map.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

// The multiplier's inverse modulo 2^64, by Newton's iteration: addresses whose products with it are 0, 1, 2, … begin
// all at the table's first place.
uint64_t colliding(uint64_t i) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  uint64_t inverse = kMultiplier;
  for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - kMultiplier * inverse;
  EXPECT_EQ(inverse * kMultiplier, 1U);
  return i * inverse;
}

template <class Address>
void agrees(uint64_t count, Address&& address) {
  AddressMap<uint32_t> map;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < count; ++i) {
      const auto value = static_cast<uint32_t>(7 * i);
      ASSERT_EQ(map.find(address(i)), nullptr) << i;
      const auto [known, fresh] = map.try_emplace(address(i), value);
      ASSERT_TRUE(fresh);
      ASSERT_EQ(*known, value);
    }
    for (uint64_t i = 0; i < count; ++i) {
      const auto [known, fresh] = map.try_emplace(address(i), 0);
      ASSERT_FALSE(fresh);
      ASSERT_EQ(*known, static_cast<uint32_t>(7 * i));
      ++*known;
      ASSERT_EQ(map.find(address(i)), known);
    }
    for (uint64_t i = count; i < count + 1000; ++i) ASSERT_EQ(map.find(address(i)), nullptr);
    map.clear();
  }
}

TEST(AddressMap, KnowsWhatItWasTold) {
  for (const uint64_t step : {1, 2, 4, 6, 16, 4096}) agrees(20'000, [&](uint64_t i) { return 0x400000 + step * i; });
}

// Asked one after the other these would take 10^10 steps.
TEST(AddressMap, AddressesThatCollideAreKnownToo) { agrees(60'000, colliding); }

// Of two kinds: the table grows, and what found no place goes to where it then has one.
TEST(AddressMap, AddressesThatCollideAmongOthers) {
  agrees(60'000, [](uint64_t i) { return i % 2 == 0 ? colliding(i) : 0x400000 + 4 * i; });
}

}  // namespace
}  // namespace assay::code
