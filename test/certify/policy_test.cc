// Policies: what is read and refused; and the laws of verdicts, on random evidence and random tests with a fixed seed.
#include "certify/policy.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>

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
      {"{none: 'services[a ~ b]'}", "unknown operator in \"a ~ b\""},
      {"{none: 'services[a == b'}", "lacks its ]"},
      {"{count: services, op: '=', value: 1}", "op: must be <, <=, > or >=, not \"=\""},
      {"{count: services}", "needs op and value"},
      {"{any: findings}", "one finding more could raise the verdict"},
      {"{count: findings, op: '>=', value: 1}", "one finding more could raise the verdict"},
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

// Random worlds of few fields and values, so that conditions meet them.
struct Random {
  std::mt19937 engine;
  uint32_t below(uint32_t n) { return engine() % n; }
  std::string value() {
    const char* kValues[] = {"yes", "no", "unknown", "1", "2", ""};
    return kValues[below(6)];
  }
  Record record() {
    const char* kConfidences[] = {"possible", "likely", "certain"};
    return make_record(
        {{"a", value()}, {"b", value()}, {"confidence", kConfidences[below(3)]}, {"n", std::to_string(engine())}});
  }
  Evidences evidence() {
    Evidences e;
    for (const char* name : {"findings", "services", "declaration.services"}) {
      if (below(8) == 0) continue;
      Collection& c = e.collections[name];
      c.complete = below(3) > 0;
      for (uint32_t n = below(4); n > 0; --n) c.records.push_back(record());
    }
    return e;
  }
  std::string conditions() {
    std::string out;
    for (uint32_t n = 1 + below(2); n > 0; --n)
      out += (out.empty() ? "" : " and ") + std::string(below(2) ? "a" : "b") + (below(2) ? " == " : " != ") +
             (below(2) ? "yes" : "1");
    return out;
  }
  std::string test(bool over_findings) {
    const std::string of =
        std::string(over_findings ? "findings" : "services") + (below(2) ? "[" + conditions() + "]" : "");
    std::string rest = below(2) ? ", confidence: likely" : "";
    if (below(3) == 0) rest += ", needs: [declaration.services]";
    switch (below(over_findings ? 3 : 5)) {
      case 0:
        return "{none: '" + of + "'" + rest + "}";
      case 1:
        return "{count: '" + of + "', op: '<=', value: " + std::to_string(below(3)) + rest + "}";
      case 2:
        return "{all: '" + of + "', holding: " + conditions() + rest + "}";
      case 3:
        return "{any: '" + of + "'" + rest + "}";
      default:
        return "{ratio: '" + of + "', holding: " + conditions() + ", op: '>=', value: " + std::to_string(below(1001)) +
               rest + "}";
    }
  }
};

// ASSAY_WORLDS raises the number for the bench.
int worlds() {
  const char* asked = std::getenv("ASSAY_WORLDS");
  return asked != nullptr ? std::atoi(asked) : 1000;
}

TEST(Verdict, AFindingMoreNeverRaisesOne) {
  Random random{std::mt19937(1)};
  for (int i = 0; i < worlds(); ++i) {
    const std::string test = random.test(true);
    Evidences e = random.evidence();
    const int before = rank_of(verdict_of(test, e));
    e.collections["findings"].records.push_back(random.record());
    ASSERT_LE(rank_of(verdict_of(test, e)), before) << test;
  }
}

TEST(Verdict, LosingCoverageNeverRaisesOneAndNeverPasses) {
  Random random{std::mt19937(2)};
  for (int i = 0; i < worlds(); ++i) {
    const bool over_findings = random.below(2) == 0;
    const std::string test = random.test(over_findings), name = over_findings ? "findings" : "services";
    Evidences e = random.evidence();
    const int before = rank_of(verdict_of(test, e));
    e.collections[name].complete = false;
    const Verdict after = verdict_of(test, e);
    ASSERT_NE(after, Verdict::kPass) << test;
    ASSERT_LE(rank_of(after), std::max(before, 1)) << test;
    e.collections.erase(name);
    ASSERT_NE(verdict_of(test, e), Verdict::kPass) << test;
  }
}

TEST(Verdict, IsTheSameTwiceAndNamesOnlyRecordsThatDecideIt) {
  Random random{std::mt19937(3)};
  for (int i = 0; i < worlds(); ++i) {
    const bool over_findings = random.below(2) == 0;
    const std::string name = over_findings ? "findings" : "services";
    const auto policy = policy_of(random.test(over_findings));
    ASSERT_TRUE(policy);
    Evidences e = random.evidence();
    const Judgement one = evaluate(*policy, e)[0], two = evaluate(*policy, e)[0];
    ASSERT_EQ(one.verdict, two.verdict);
    ASSERT_EQ(one.records, two.records);
    // Without the records it does not name, the verdict is the same.
    std::erase_if(e.collections[name].records, [&](const Record& r) {
      return std::ranges::find(one.records, name + ":" + r.id) == one.records.end();
    });
    ASSERT_EQ(evaluate(*policy, e)[0].verdict, one.verdict);
  }
}

}  // namespace
}  // namespace assay::certify
