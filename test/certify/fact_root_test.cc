#include "certify/fact_root.h"

#include <gtest/gtest.h>

namespace assay::certify {
namespace {

engine::Arrow arrow(const std::string& name, const std::string& way, uint8_t key, uint8_t result) {
  engine::Arrow out{name, way, false};
  out.key.bytes[0] = key, out.result.bytes[0] = result;
  return out;
}

std::string statement_of(const FactRoot& facts) {
  return *statement_bytes(arrows_statement({"fw", std::string(64, 'a')}, facts));
}

TEST(FactRoot, IsTheSameInAnyOrderAndReadsBack) {
  const auto a = arrow("unpack", "", 1, 9), b = arrow("file", "etc/x", 2, 8), c = arrow("checks", "", 3, 7);
  const FactRoot one = fact_root({a, b, c}), other = fact_root({c, a, b, b});
  EXPECT_EQ(one.root, other.root);
  const auto read = read_arrows(statement_of(one), "f");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->root, one.root);
  EXPECT_EQ(difference(*read, one, true), "");
  EXPECT_NE(fact_root({a, b}).root, one.root);
  EXPECT_EQ(fact_root({a, engine::Arrow{"file", "died", false}}).root, fact_root({a}).root);
}

TEST(FactRoot, SaysWhatDiffers) {
  const FactRoot listed = fact_root({arrow("unpack", "", 1, 9), arrow("file", "etc/x", 2, 8)});
  const auto says = [&](const std::vector<engine::Arrow>& now, const char* word, bool all = true) {
    const std::string text = difference(listed, fact_root(now), all);
    EXPECT_NE(text.find(word), std::string::npos) << text;
  };
  says({arrow("unpack", "", 1, 9), arrow("file", "etc/x", 2, 7)}, "another result (file of etc/x)");
  says({arrow("unpack", "", 1, 9), arrow("file", "etc/x", 3, 8)}, "another input");
  says({arrow("unpack", "", 1, 9), arrow("file", "etc/x", 2, 8), arrow("file", "y", 4, 4)}, "not in the certificate");
  says({arrow("unpack", "", 1, 9)}, "did not run");
  EXPECT_EQ(difference(listed, fact_root({arrow("unpack", "", 1, 9)}), false), "");
}

TEST(FactRoot, AChangedListIsRefused) {
  std::string text = statement_of(fact_root({arrow("unpack", "", 1, 9), arrow("file", "x", 2, 8)}));
  const size_t at = text.rfind("08000");
  text[at + 1] = '9';
  EXPECT_FALSE(read_arrows(text, "f"));
  EXPECT_FALSE(read_arrows("{}", "f"));
  EXPECT_FALSE(read_arrows("{\"predicate\":{\"factRoot\":\"00\",\"arrows\":[]}}", "f"));
}

}  // namespace
}  // namespace assay::certify
