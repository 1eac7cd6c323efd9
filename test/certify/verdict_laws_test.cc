// The laws of verdicts and of the decision over them (docs/policy.md), on random policies and evidence with fixed
// seeds, and against a second, slow evaluation that tries every world the evidence allows.
#include "certify/verdict.h"
#include "worlds.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>

namespace assay::certify {
namespace {

using test::Random;
using test::worlds;

Policy policy_of(Random& random) {
  const std::string yaml = random.policy();
  auto policy = read_policy(yaml);
  EXPECT_TRUE(policy) << policy.error().what << "\n" << yaml;
  return policy ? *policy : Policy();
}

bool passes(const Policy& policy, const Evidences& evidence) {
  return decide(policy, evaluate(policy, evidence), true).passed;
}

bool reads(const Demand& demand, const std::string& collection) {
  return std::ranges::any_of(demand.tests, [&](const certify::Test& t) {
    return t.of.collection == collection || t.minus == collection ||
           std::ranges::find(t.needs, collection) != t.needs.end();
  });
}

TEST(VerdictLaws, AFindingMoreNeverRaisesAVerdictNorTheDecision) {
  Random random{std::mt19937(1)};
  for (int i = 0; i < worlds(); ++i) {
    const Policy policy = policy_of(random);
    Evidences e = random.evidence();
    const auto before = evaluate(policy, e);
    const bool passed = passes(policy, e);
    e.collections[random.below(2) ? "findings" : "observed_ports.tcp"].records.push_back(random.record());
    const auto after = evaluate(policy, e);
    for (size_t d = 0; d < before.size(); ++d) ASSERT_LE(rank_of(after[d].verdict), rank_of(before[d].verdict));
    ASSERT_TRUE(passed || !passes(policy, e));
  }
}

// Evidence can be lost in four ways. None leads to PASS or raises a verdict, but that a FAIL which rested on what is
// lost becomes INCONCLUSIVE; and none turns a refused certificate into one that is given.
void lose(Random& random, Evidences& e, std::string& lost) {
  const char* const kNames[] = {"findings", "services", "elf", "declaration.services", "observed_ports.tcp"};
  lost = random.one_of(kNames);
  switch (random.below(4)) {
    case 0:
      e.collections[lost].complete = false;
      return;
    case 1:
      e.collections.erase(lost);
      return;
    case 2:
      lost = "rules";
      e.rules.clear();
      return;
    default:
      lost = "class";
      e.network_class.clear();
  }
}

TEST(VerdictLaws, LosingEvidenceNeverLeadsToPassNorToACertificate) {
  Random random{std::mt19937(2)};
  for (int i = 0; i < worlds(); ++i) {
    const Policy policy = policy_of(random);
    Evidences e = random.evidence();
    const auto before = evaluate(policy, e);
    const bool passed = passes(policy, e);
    std::string lost;
    lose(random, e, lost);
    const auto after = evaluate(policy, e);
    for (size_t d = 0; d < before.size(); ++d) {
      if (rank_of(after[d].verdict) > rank_of(before[d].verdict)) {
        ASSERT_EQ(before[d].verdict, Verdict::kFail);
        ASSERT_EQ(after[d].verdict, Verdict::kInconclusive);
        ASSERT_TRUE(after[d].missing) << "it must say that evidence is missing";
      }
      ASSERT_TRUE(!reads(policy.demands[d], lost) || after[d].verdict != Verdict::kPass) << lost;
    }
    ASSERT_TRUE(passed || !passes(policy, e));
  }
}

TEST(VerdictLaws, NoEvidenceIsNeverPass) {
  Random random{std::mt19937(3)};
  for (int i = 0; i < worlds() / 4; ++i) {
    const Policy policy = policy_of(random);
    for (const Judgement& j : evaluate(policy, {})) ASSERT_TRUE(rank_of(j.verdict) == 1) << j.because;
    ASSERT_FALSE(passes(policy, {}));
  }
}

TEST(VerdictLaws, TheOrderOfRecordsSaysNothing) {
  Random random{std::mt19937(4)};
  for (int i = 0; i < worlds() / 4; ++i) {
    const Policy policy = policy_of(random);
    Evidences e = random.evidence();
    const auto one = evaluate(policy, e);
    for (auto& [name, collection] : e.collections) std::ranges::shuffle(collection.records, random.engine);
    const auto two = evaluate(policy, e);
    for (size_t d = 0; d < one.size(); ++d) {
      ASSERT_EQ(one[d].verdict, two[d].verdict);
      ASSERT_EQ(one[d].records, two[d].records);
      ASSERT_EQ(one[d].because, two[d].because);
    }
  }
}

// A second evaluation of conditions, written another way: whether a record can be made to meet them, and to miss them,
// by what is not known about it.
struct Can {
  bool meet = true, miss = false;
};

Can meets(const Condition& c, const Record& record) {
  const auto field = record.fields.find(c.field);
  const std::string have = field == record.fields.end() ? "" : field->second;
  if (have.empty() || have == "unknown") return {true, true};
  if (c.days_since) return have == "2026-10-20" ? Can{true, false} : Can{false, true};  // 12 and 304 days before
  const bool digits = have.find_first_not_of("0123456789") == std::string::npos;
  if (c.op == "<=" || c.op == ">") {
    if (!digits) return {true, true};
    const bool below = std::stoull(have) <= std::stoull(c.value[0]);
    return (c.op == "<=") == below ? Can{true, false} : Can{false, true};
  }
  bool holds = std::ranges::count(c.value, have) > 0;
  if (c.op == "!=") holds = !holds;
  if (c.op == "^=") holds = have.rfind(c.value[0], 0) == 0;
  return {holds, !holds};
}

Can meets(const std::vector<Condition>& all, const Record& record) {
  Can out;
  for (const Condition& c : all) {
    const Can one = meets(c, record);
    out.meet = out.meet && one.meet;
    out.miss = out.miss || one.miss;
  }
  return out;
}

// Whether a record can be equal to another, and be another, by the field that the policies take.
Can equals(const Record& a, const Record& b) {
  const std::string x = a.fields.at("a"), y = b.fields.at("a");
  const bool open = x.empty() || y.empty() || x == "unknown" || y == "unknown";
  return {open || x == y, open || x != y};
}

// Whether it can be taken away by what is declared, and be left.
Can taken(const certify::Test& test, const Record& record, const Evidences& e) {
  Can out{false, true};
  if (test.minus.empty()) return out;
  const auto at = e.collections.find(test.minus);
  out.meet = at == e.collections.end() || !at->second.complete;
  if (at == e.collections.end()) return out;
  for (const Record& other : at->second.records) {
    out.meet = out.meet || equals(record, other).meet;
    out.miss = out.miss && equals(record, other).miss;
  }
  return out;
}

Can selected(const certify::Test& test, const Record& record) {
  Can out = meets(test.of.conditions, record);
  const std::string confidence = record.fields.at("confidence");
  if (test.weakest == "likely" && confidence == "possible") out.miss = true;
  return out;
}

// Whether a world in which the records are so, selected and holding, satisfies the test.
bool satisfied(const certify::Test& t, uint64_t of, uint64_t held) {
  if (t.kind == "none") return of == 0;
  if (t.kind == "any") return of > 0;
  if (t.kind == "all") return held == of;
  if (t.kind == "ratio") return of == 0 || held * 1000 >= t.value * of;
  return t.op == "<" ? of < t.value : t.op == "<=" ? of <= t.value : t.op == ">" ? of > t.value : of >= t.value;
}

Can left(const certify::Test& test, const Record& record, const Evidences& e) {
  const Can in = selected(test, record), away = taken(test, record, e);
  return {in.meet && away.miss, in.miss || away.meet};
}

// Every world: each record selected or not and holding or not where both can be, and up to three records nobody saw
// where the collection is not complete.
void each_world(const certify::Test& t, const Evidences& e, bool complete, bool& some, bool& all) {
  const auto at = e.collections.find(t.of.collection);
  const std::vector<Record> records = at == e.collections.end() ? std::vector<Record>() : at->second.records;
  std::set<std::pair<uint64_t, uint64_t>> reached = {{0, 0}};
  const auto with = [&](const Can& in, const Can& holding) {
    std::set<std::pair<uint64_t, uint64_t>> next;
    for (const auto& [of, held] : reached) {
      if (in.miss) next.emplace(of, held);
      if (in.meet && holding.meet) next.emplace(of + 1, held + 1);
      if (in.meet && holding.miss) next.emplace(of + 1, held);
    }
    reached = std::move(next);
  };
  for (const Record& r : records) with(left(t, r, e), meets(t.holding, r));
  for (int unseen = 0; !complete && unseen < 3; ++unseen) with({true, true}, {true, !t.holding.empty()});
  some = std::ranges::any_of(reached, [&](const auto& w) { return satisfied(t, w.first, w.second); });
  all = std::ranges::all_of(reached, [&](const auto& w) { return satisfied(t, w.first, w.second); });
}

bool is_complete(const certify::Test& t, const Evidences& e) {
  std::vector<std::string> wanted = t.needs;
  wanted.push_back(t.of.collection);
  if (!t.minus.empty()) wanted.push_back(t.minus);
  for (const std::string& name : wanted)
    if (!e.collections.contains(name) || !e.collections.at(name).complete) return false;
  for (const Condition& c : t.of.conditions)
    for (const std::string& v : c.value)
      if (c.field == "rule" && std::ranges::find(e.rules, v) == e.rules.end()) return false;
  return true;
}

// PASS only where every world satisfies every test, FAIL only where none satisfies one of them.
TEST(VerdictLaws, PassHoldsInEveryWorldAndFailInNone) {
  Random random{std::mt19937(5)};
  size_t passed = 0, failed = 0;
  for (int i = 0; i < worlds() * 2; ++i) {
    const Policy policy = policy_of(random);
    const Evidences e = random.evidence();
    const auto judgements = evaluate(policy, e);
    for (size_t d = 0; d < judgements.size(); ++d) {
      bool every = true, none = false;
      for (const certify::Test& t : policy.demands[d].tests) {
        bool some = false, all = false;
        each_world(t, e, is_complete(t, e), some, all);
        every = every && all;
        none = none || !some;
      }
      ASSERT_TRUE(judgements[d].verdict != Verdict::kPass || every) << judgements[d].because;
      ASSERT_TRUE(judgements[d].verdict != Verdict::kFail || none) << judgements[d].because;
      passed += judgements[d].verdict == Verdict::kPass;
      failed += judgements[d].verdict == Verdict::kFail;
    }
  }
  EXPECT_GT(passed, 20u);
  EXPECT_GT(failed, 20u);
}

// A selected record, and what is declared that takes it away or may.
void use(const certify::Test& t, const Record& record, const Evidences& e, std::set<std::string>& used) {
  used.insert(t.of.collection + ":" + record.id);
  if (t.minus.empty() || !e.collections.contains(t.minus)) return;
  for (const Record& other : e.collections.at(t.minus).records)
    if (equals(record, other).meet) used.insert(t.minus + ":" + other.id);
}

// Exactly the records that a selector does not rule out; the verdict needs no other.
TEST(VerdictLaws, AVerdictNamesExactlyTheRecordsItUsed) {
  Random random{std::mt19937(6)};
  for (int i = 0; i < worlds(); ++i) {
    const Policy policy = policy_of(random);
    const Evidences e = random.evidence();
    const auto judgements = evaluate(policy, e);
    for (size_t d = 0; d < judgements.size(); ++d) {
      const Judgement& j = judgements[d];
      if (j.verdict == Verdict::kNotTested || j.verdict == Verdict::kNotApplicable ||
          j.because.starts_with("whether")) {
        ASSERT_TRUE(j.records.empty());
        continue;
      }
      std::set<std::string> used;
      for (const certify::Test& t : policy.demands[d].tests)
        if (const auto at = e.collections.find(t.of.collection); at != e.collections.end())
          for (const Record& r : at->second.records)
            if (selected(t, r).meet) use(t, r, e, used);
      ASSERT_EQ(std::vector<std::string>(used.begin(), used.end()), j.records);
      Evidences less = e;
      for (auto& [name, collection] : less.collections)
        std::erase_if(collection.records, [&](const Record& r) { return !used.contains(name + ":" + r.id); });
      ASSERT_EQ(evaluate(policy, less)[d].verdict, j.verdict);
    }
  }
}

TEST(VerdictLaws, AWaiverLetsTheDecisionPassByAndChangesNoVerdict) {
  const auto policy = read_policy(
      "apiVersion: assay/v1\nkind: CertificationPolicy\nmetadata: {name: p, version: 1}\n"
      "decision: {level: L, validity_days: 10}\nrequirements:\n"
      "  - {ref: A, check: [{none: services}]}\n  - {ref: B, check: [{none: elf}]}\n");
  ASSERT_TRUE(policy);
  Evidences e;
  e.collections["services"] = {true, "", {make_record({{"a", "b"}})}};
  e.collections["elf"] = {true, "", {}};
  const auto judgements = evaluate(*policy, e);
  EXPECT_FALSE(decide(*policy, judgements, true).passed);
  EXPECT_TRUE(decide(*policy, judgements, true, {"A"}).passed);
  EXPECT_EQ(judgements[0].verdict, Verdict::kFail);
  EXPECT_FALSE(decide(*policy, judgements, true, {"B"}).passed);
}

}  // namespace
}  // namespace assay::certify
