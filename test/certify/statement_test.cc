#include "certify/statement.h"

#include <gtest/gtest.h>

namespace assay::certify {
namespace {

const std::string kDigest(64, 'a');

TEST(Statement, HasTheKeysOfTheSpecificationInItsOrder) {
  const auto bytes = statement_bytes({"https://example.org/p/v1", {{"fw \"1\".bin", kDigest}}, R"({"z": 1, "a": 2})"});
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes,
            R"({"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"fw \"1\".bin","digest":{"sha256":")" +
                kDigest + R"("}}],"predicateType":"https://example.org/p/v1","predicate":{"z": 1, "a": 2}})");
}

TEST(Statement, RefusesWhatIsNone) {
  EXPECT_FALSE(statement_bytes({"t", {}, "{}"}));
  EXPECT_FALSE(statement_bytes({"", {{"n", kDigest}}, "{}"}));
  EXPECT_FALSE(statement_bytes({"t", {{"n", "ABC"}}, "{}"}));
  EXPECT_FALSE(statement_bytes({"t", {{"n", kDigest}}, "[]"}));
  EXPECT_FALSE(statement_bytes({"t", {{"n", kDigest}}, "{"}));
}

}  // namespace
}  // namespace assay::certify
