// Policies: what is read and refused; and the laws of verdicts, on random evidence and random tests with a fixed seed.
#include "certify/policy.h"

#include <gtest/gtest.h>
#include <algorithm>

namespace assay::certify {
namespace {

const std::string kHead =
    "apiVersion: assay/v1\nkind: CertificationPolicy\nmetadata: {name: p, version: 1}\n"
    "decision: {level: L, validity_days: 10}\nrequirements:\n";

Result<Policy> policy_of(const std::string& test) {
  return read_policy(kHead + "  - ref: R\n    check:\n      - " + test + "\n");
}

TEST(Policy, TheReadyOnesAreGood) {
  ASSERT_EQ(embedded_policies().size(), 2u);
  for (const Embedded& one : embedded_policies()) {
    const auto policy = read_policy(one.text);
    ASSERT_TRUE(policy) << one.name << ": " << policy.error().what;
    EXPECT_EQ(policy->name, one.name);
    EXPECT_GT(policy->demands.size(), 10u);
  }
}

TEST(Policy, ScasNamesEveryTestOfTheRelease) {
  const auto policy = read_policy(embedded_policies()[1].text);
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->demands.size(), 73u);
}

TEST(Policy, EveryRuleOfAReadyPolicyExists) {
  std::vector<std::string> known;
  for (const Rule& rule : checks::rules()) known.push_back(rule.id);
  for (const Embedded& one : embedded_policies()) {
    const auto policy = read_policy(one.text);
    ASSERT_TRUE(policy);
    for (const Demand& demand : policy->demands)
      for (const certify::Test& test : demand.tests)
        for (const Condition& c : test.of.conditions)
          for (const std::string& rule : c.value)
            EXPECT_TRUE(c.field != "rule" || std::ranges::find(known, rule) != known.end()) << rule;
  }
}

TEST(Policy, RefusesWithLineAndKey) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"{exists: services}", "line 8: requirements[0].check[0]: unknown key \"exists\""},
      {"{none: servces}", "unknown evidence \"servces\""},
      {"{none: servces}", "did you mean \"services\"?"},
      {"{nome: services}", "did you mean \"none\"?"},
      {"{none: 'services[a ~ b]'}", "unknown operator in \"a ~ b\""},
      {"{none: 'services[a == b'}", "lacks its ]"},
      {"{count: services, op: '=', value: 1}", "op: must be <, <=, > or >=, not \"=\""},
      {"{count: services}", "needs op and value"},
      {"{any: findings}", "one more could raise the verdict"},
      {"{count: findings, op: '>=', value: 1}", "one more could raise the verdict"},
      {"{any: observed_ports.tcp}", "one more could raise the verdict"},
      {"{any: external_findings}", "one more could raise the verdict"},
      {"{all: elf}", "needs the key \"holding\""},
      {"{ratio: elf, holding: nx == yes, op: '<', value: 1}", "compared with > or >="},
      {"{none: services, any: services}", "stands beside none"},
      {"{none: services, needs: [declaration.service]}", "unknown evidence \"declaration.service\""},
  };
  for (const auto& [test, message] : all) {
    const auto policy = policy_of(test);
    ASSERT_FALSE(policy) << test;
    EXPECT_NE(policy.error().what.find(message), std::string::npos) << policy.error().what;
  }
}

Verdict verdict_of(const std::string& test, const Evidences& evidence) {
  const auto policy = policy_of(test);
  EXPECT_TRUE(policy) << policy.error().what;
  return policy ? evaluate(*policy, evidence)[0].verdict : Verdict::kNotTested;
}

TEST(Verdict, NothingSeenIsNotNothingThere) {
  Evidences e;
  EXPECT_EQ(verdict_of("{none: services}", e), Verdict::kInconclusive);
  e.collections["services"].complete = true;
  EXPECT_EQ(verdict_of("{none: services}", e), Verdict::kPass);
  EXPECT_EQ(verdict_of("{none: services, needs: [declaration.services]}", e), Verdict::kInconclusive);
  EXPECT_EQ(verdict_of("{none: 'services[name == telnet]'}", e), Verdict::kPass);
  e.collections["services"].records.push_back(make_record({{"name", "unknown"}}));
  EXPECT_EQ(verdict_of("{none: 'services[name == telnet]'}", e), Verdict::kInconclusive);
  e.collections["services"].records.push_back(make_record({{"name", "telnet"}}));
  EXPECT_EQ(verdict_of("{none: 'services[name == telnet]'}", e), Verdict::kFail);
}

TEST(Verdict, ARuleThatDidNotRunProvesNothing) {
  Evidences e;
  e.collections["findings"].complete = true;
  EXPECT_EQ(verdict_of("{none: 'findings[rule == a.b]'}", e), Verdict::kInconclusive);
  e.rules = {"a.b"};
  EXPECT_EQ(verdict_of("{none: 'findings[rule == a.b]'}", e), Verdict::kPass);
}

TEST(Verdict, SharesAreIntervals) {
  Evidences e;
  Collection& elf = e.collections["elf"];
  elf.complete = true;
  const std::string test = "{ratio: elf, holding: nx == yes, op: '>=', value: 500}";
  EXPECT_EQ(verdict_of(test, e), Verdict::kInconclusive);  // of nothing
  elf.records = {make_record({{"nx", "yes"}}), make_record({{"nx", "no"}})};
  EXPECT_EQ(verdict_of(test, e), Verdict::kPass);
  elf.records.push_back(make_record({{"nx", "unknown"}}));
  EXPECT_EQ(verdict_of(test, e), Verdict::kInconclusive);
  elf.records.back() = make_record({{"nx", "no"}, {"at", "b"}});
  EXPECT_EQ(verdict_of(test, e), Verdict::kFail);
}

}  // namespace
}  // namespace assay::certify
