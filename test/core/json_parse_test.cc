#include "core/json_parse.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, RefusesWhatNestsDeeperThan64) {
  EXPECT_TRUE(parse_json(nested(64), "f"));
  for (const std::string& deep : {nested(65), nested(100000), std::string(100000, '['), std::string(100000, '{')}) {
    const auto refused = parse_json(deep, "f");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::kMalformed);
    EXPECT_EQ(refused.error().what, "f: JSON nested more than 64 deep at byte 64");
  }
}

TEST(ParseJson, BracketsInStringsDoNotCount) {
  const auto json = parse_json("[\"\\\"" + std::string(1000, '[') + "\\\\\", 1]", "f");
  ASSERT_TRUE(json) << json.error().what;
  EXPECT_EQ(json->at(1), 1);
}

TEST(ParseJson, SaysWhereItEnds) {
  EXPECT_EQ(parse_json("{\"a\":", "f").error().what, "f: not JSON, or damaged or truncated at byte 6");
  EXPECT_FALSE(parse_json("1e999", "f"));
  EXPECT_FALSE(parse_json("\"\xff\"", "f"));
  EXPECT_FALSE(parse_json("", "f"));
}

}  // namespace
}  // namespace assay
