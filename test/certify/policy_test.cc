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
      {"{none: services, minus: declaration.services}", "minus needs by"},
      {"{none: services, minus: findings, by: [at]}", "one more could raise the verdict"},
      {"{none: services, minus: declared, by: [name]}", "unknown evidence \"declared\""},
      {"{none: 'manual[days_since(on) == 3]'}", "days_since is compared with"},
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

TEST(Policy, AFieldThatNoRecordHasIsNamed) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"{none: 'findings[rul == a.b]'}", "line 8: findings have no field \"rul\""},
      {"{none: 'findings[rul == a.b]'}", "did you mean \"rule\"?"},
      {"{all: elf, holding: nxx == yes}", "elf have no field \"nxx\""},
      {"{none: services, minus: declaration.services, by: [nam]}", "services have no field \"nam\""},
      {"{none: services, minus: declaration.services, by: [program, user]}",
       "declaration.services have no field \"user\""},
      {"{none: 'declaration.services[image == a]'}", "have no field \"image\""},
  };
  for (const auto& [test, message] : all) {
    const auto policy = policy_of(test);
    ASSERT_TRUE(policy) << policy.error().what;
    const auto known = check_fields(*policy);
    ASSERT_FALSE(known) << test;
    EXPECT_NE(known.error().what.find(message), std::string::npos) << known.error().what;
  }
  for (const char* good : {"{none: 'accounts[uid == 0 and image == a]'}", "{none: 'keys[days_since(not_after) > 0]'}",
                           "{none: 'declaration.software[days_since(until) > 0]'}",
                           "{none: services, minus: declaration.services, by: [name, port]}"})
    EXPECT_TRUE(check_fields(*policy_of(good))) << good;
  for (const Embedded& one : embedded_policies()) EXPECT_TRUE(check_fields(*read_policy(one.text))) << one.name;
}

TEST(Verdict, DaysAreCountedToTheDayThatIsJudgedBy) {
  Evidences e;
  e.as_of = "2026-11-01";
  Collection& manual = e.collections["manual"];
  manual = {true, "", {make_record({{"on", "2026-10-01"}})}};
  EXPECT_EQ(verdict_of("{all: manual, holding: 'days_since(on) <= 31'}", e), Verdict::kPass);
  EXPECT_EQ(verdict_of("{all: manual, holding: 'days_since(on) <= 30'}", e), Verdict::kFail);
  for (const char* no_day : {"soon", "1793491200", "-1"}) {  // seconds are for times of keys
    manual.records = {make_record({{"on", no_day}})};
    EXPECT_EQ(verdict_of("{all: manual, holding: 'days_since(on) <= 31'}", e), Verdict::kInconclusive) << no_day;
  }
}

TEST(Verdict, TimesOfKeysCountByTheirDay) {
  Evidences e;
  e.as_of = "2026-11-01";  // 1793491200
  const auto days = [&](const char* time, const char* needed) {
    e.collections["keys"] = {true, "", {make_record({{"not_after", time}})}};
    return verdict_of("{all: keys, holding: 'days_since(not_after) " + std::string(needed) + "'}", e);
  };
  EXPECT_EQ(days("1793451600", "> 0"), Verdict::kPass);  // yesterday at 13:00
  EXPECT_EQ(days("1793451600", "> 1"), Verdict::kFail);
  EXPECT_EQ(days("1793491200", "> 0"), Verdict::kFail);
  EXPECT_EQ(days("1793577599", "<= 0"), Verdict::kPass);  // today, the last second
  EXPECT_EQ(days("1793577599", "<= -1"), Verdict::kFail);
  EXPECT_EQ(days("1793577600", "<= -1"), Verdict::kPass);
  EXPECT_EQ(days("-1", ">= 20759"), Verdict::kPass);  // the last day of 1969
  for (const char* far : {"-9223372036854775808", "9223372036854775807", "100000000001", "99999999999999999999"})
    EXPECT_EQ(days(far, "> 0"), Verdict::kInconclusive) << far;
}

TEST(Verdict, ANegativeNumberIsNone) {
  Evidences e;
  e.collections["accounts"] = {true, "", {make_record({{"uid", "-1"}})}};
  EXPECT_EQ(verdict_of("{all: accounts, holding: 'uid <= 10'}", e), Verdict::kInconclusive);
}

// Pair by pair this were 225 million comparisons.
TEST(Verdict, ManyRecordsAreTakenAwayAtOnce) {
  constexpr int kMany = 15'000;
  Evidences e;
  for (int i = 0; i < kMany; ++i) {
    const std::string port = std::to_string(i);
    e.collections["services"].records.push_back(make_record({{"name", "a"}, {"port", port}}));
    e.collections["declaration.services"].records.push_back(make_record({{"name", "a"}, {"port", port}}));
  }
  for (const char* name : {"services", "declaration.services"}) e.collections[name].complete = true;
  const std::string test = "{none: services, minus: declaration.services, by: [name, port]}";
  EXPECT_EQ(verdict_of(test, e), Verdict::kPass);
  e.collections["declaration.services"].records.pop_back();
  EXPECT_EQ(verdict_of(test, e), Verdict::kFail);
  e.collections["declaration.services"].records.push_back(make_record({{"name", "a"}, {"port", ""}}));
  EXPECT_EQ(verdict_of(test, e), Verdict::kInconclusive);
}

TEST(Verdict, ReasonsAreEscapedOnce) {
  Evidences e;
  e.collections["elf"] = {false, "a\\x5cb", {}};  // as the facts of an image have a backslash
  e.collections["external_findings"] = {true, "", {make_record({{"rule", "c\\d"}})}};
  const auto because = [&](const std::string& test) { return evaluate(*policy_of(test), e)[0].because; };
  EXPECT_EQ(because("{none: elf}"), "elf is not complete: a\\x5cb");
  EXPECT_EQ(because("{none: external_findings}"), "external_findings: none allowed, 1 seen (c\\x5cd)");
}

TEST(Verdict, WhatIsDeclaredIsTakenAway) {
  const std::string test = "{none: services, minus: declaration.services, by: [name, port]}";
  Evidences e;
  e.collections["services"] = {true, "", {make_record({{"name", "http"}, {"port", "80"}})}};
  EXPECT_EQ(verdict_of(test, e), Verdict::kInconclusive);  // nothing was declared or not
  Collection& declared = e.collections["declaration.services"];
  declared.complete = true;
  EXPECT_EQ(verdict_of(test, e), Verdict::kFail);
  declared.records = {make_record({{"name", "http"}, {"port", "8080"}})};
  EXPECT_EQ(verdict_of(test, e), Verdict::kFail);
  declared.records.push_back(make_record({{"name", "http"}, {"port", ""}}));  // on any port, or on one that is not said
  EXPECT_EQ(verdict_of(test, e), Verdict::kInconclusive);
  declared.records.push_back(make_record({{"name", "http"}, {"port", "80"}}));
  EXPECT_EQ(verdict_of(test, e), Verdict::kPass);
}

TEST(Verdict, ReasonsSayWhatWasWantedAndSeen) {
  Evidences e;
  e.rules = {"a.b", "a.c"};
  const auto finding = [](const char* rule, const char* confidence) {
    return make_record({{"rule", rule}, {"confidence", confidence}, {"at", std::string(rule) + confidence}});
  };
  e.collections["findings"] = {
      true, "", {finding("a.b", "certain"), finding("a.b", "likely"), finding("a.c", "possible")}};
  e.collections["elf"] = {true, "", {make_record({{"nx", "yes"}}), make_record({{"nx", "unknown"}})}};
  const auto because = [&](const std::string& test) { return evaluate(*policy_of(test), e)[0].because; };
  EXPECT_EQ(because("{none: 'findings[rule in (a.b, a.c)]', confidence: likely}"),
            "findings: none allowed, 2 seen (2 a.b), perhaps 1 more (a.c)");
  EXPECT_EQ(because("{count: 'findings[rule == a.c]', op: '<=', value: 3}"), "findings: <= 3 allowed, 1 seen (a.c)");
  EXPECT_EQ(because("{any: 'elf[nx == no]'}"), "elf[nx == no]: at least one needed, none seen, perhaps 1");
  EXPECT_EQ(because("{ratio: elf, holding: nx == yes, op: '>=', value: 900}"),
            "elf: nx == yes needed of >= 900 in 1000, 1 of 2 has it, perhaps 1 more");
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
