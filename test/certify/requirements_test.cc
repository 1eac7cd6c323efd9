// Requirements: every file reads, every rule named exists, and policies, checks and requirements name the same clauses.
#include "certify/requirements.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <set>

namespace assay::certify {
namespace {

std::set<std::string> known_rules() {
  std::set<std::string> out;
  for (const Rule& rule : checks::rules()) out.insert(rule.id);
  return out;
}

std::map<std::string, Requirement> by_reference() {
  std::map<std::string, Requirement> out;
  for (const Standard& s : standards())
    for (const Requirement& r : s.requirements) out[reference_of(s, r)] = r;
  return out;
}

TEST(Requirements, EveryFileReads) {
  ASSERT_EQ(embedded_standards().size(), 3u);
  for (const Embedded& one : embedded_standards()) {
    const auto read = read_standard(one.name, one.text);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_GE(read->requirements.size(), 20u) << one.name;
    EXPECT_FALSE(read->reviewed) << "set once somebody held it against the text";
  }
}

TEST(Requirements, EveryRuleTheyNameExists) {
  const auto known = known_rules();
  for (const auto& [ref, r] : by_reference())
    for (const std::string& rule : r.rules) EXPECT_TRUE(known.contains(rule)) << ref << ": " << rule;
}

// A policy judges only what exists, only where an image can decide, and only by rules that the requirement names.
TEST(Requirements, PoliciesJudgeWhatStandsHere) {
  const auto all = by_reference();
  for (const Embedded& one : embedded_policies()) {
    const auto policy = read_policy(one.text);
    ASSERT_TRUE(policy);
    for (const Demand& demand : policy->demands) {
      ASSERT_TRUE(all.contains(demand.ref)) << demand.ref;
      const Requirement& r = all.at(demand.ref);
      EXPECT_TRUE(demand.tests.empty() || r.evidence.contains('F')) << demand.ref;
      for (const certify::Test& test : demand.tests)
        for (const Condition& c : test.of.conditions)
          for (const std::string& rule : c.value)
            EXPECT_TRUE(c.field != "rule" || std::ranges::binary_search(r.rules, rule)) << demand.ref << " " << rule;
    }
  }
}

// And there the check stands among those that speak of it.
TEST(Requirements, WhatChecksNameStandsHere) {
  const auto all = by_reference();
  for (const Rule& rule : checks::rules())
    for (const std::string& name : rule.requirements) {
      const size_t space = name.rfind(' ');
      const std::string prefix = name.substr(0, space), id = name.substr(space + 1);
      EXPECT_TRUE(std::ranges::any_of(all,
                                      [&](const auto& one) {
                                        return one.first.starts_with(prefix + ":") &&
                                               (one.second.id == id || one.second.clause == id) &&
                                               std::ranges::binary_search(one.second.rules, rule.id);
                                      }))
          << rule.id << ": " << name;
    }
}

TEST(Requirements, RefusesWithLine) {
  const std::string head = "@prefix\tP\n@name\tN\n@title\tT\n@version\t1\n@owner\tO\n@source\tS\n@reviewed\tno\n";
  EXPECT_TRUE(read_standard("s", head + "1\t-\tt\t-\tFd\t-\n"));
  const std::vector<std::pair<std::string, std::string>> all = {
      {"1\t-\tt\t-\tF\n", "line 8: 5 fields, not 6"},
      {"1\t-\tt\t-\tX\t-\n", "line 8: evidence \"X\""},
      {"1\t-\tt\t-\tDF\t-\n", "line 8: evidence \"DF\""},
      {"1\t\tt\t-\tF\t-\n", "line 8: field 2 is empty"},
      {"1\t-\tt\t-\tF\tb a\n", "not in the alphabet"},
      {"1\t-\tt\t-\tF\t-\n1\t-\tu\t-\tF\t-\n", "line 9: 1  stands twice"},
      {"@colour\tred\n", "line 8: unknown head @colour"},
      {"@reviewed\tmaybe\n", "line 8: reviewed is yes or no"},
  };
  for (const auto& [text, message] : all) {
    const auto read = read_standard("s", head + text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().what.find(message), std::string::npos) << read.error().what;
  }
  EXPECT_FALSE(read_standard("s", "1\t-\tt\t-\tF\t-\n"));
}

}  // namespace
}  // namespace assay::certify
