// Judges evidence by a policy (policy.h says what the verdicts mean). No clock, no order but the policy's: the same
// policy and evidence give the same verdicts.
#include "certify/reason.h"
#include "certify/subtraction.h"
#include "core/text.h"

#include <algorithm>
#include <set>

namespace assay::certify {
namespace {

// A finding below the confidence that a test asks for may be one.
Holds weighed(const Test& test, const Record& record, const std::string& as_of) {
  const Holds out = holds(test.of.conditions, record, as_of);
  const auto confidence = record.fields.find("confidence");
  if (out != Holds::kYes || test.weakest.empty() || confidence == record.fields.end()) return out;
  const std::string& c = confidence->second;
  const bool enough = test.weakest == "possible" || c == "certain" || (test.weakest == "likely" && c == "likely");
  return enough ? Holds::kYes : Holds::kMaybe;
}

struct Outcome {
  Verdict verdict = Verdict::kPass;
  bool missing = false;
  std::string because;
  std::set<std::string> records;
};

// What makes it impossible to conclude from absence; "" : nothing.
std::string gap(const Test& test, const Evidences& evidence) {
  std::vector<std::string> wanted = test.needs;
  wanted.push_back(test.of.collection);
  if (!test.minus.empty()) wanted.push_back(test.minus);
  for (const std::string& name : wanted) {
    const auto at = evidence.collections.find(name);
    if (at == evidence.collections.end()) return name + " is missing";
    if (!at->second.complete) return name + " is not complete: " + shown(name, at->second.why);
  }
  for (const Condition& c : test.of.conditions)
    if (c.field == "rule" && c.op != "^=")
      for (const std::string& rule : c.value)
        if (std::ranges::find(evidence.rules, rule) == evidence.rules.end())
          return "the rule " + escape(rule) + " was not run";
  return "";
}

struct Counted : Tally {
  std::set<std::string> records;  // all of them
};

void add(Counted& to, Holds counted, const Record& record) {
  if (counted == Holds::kNo) return;
  const bool yes = counted == Holds::kYes;
  ++(yes ? to.yes : to.maybe);
  if (const auto rule = record.fields.find("rule"); rule != record.fields.end())
    ++(yes ? to.yes_rules : to.maybe_rules)[rule->second];
}

const Collection& collection_of(const Evidences& evidence, const std::string& name) {
  static const Collection kNothing;
  const auto at = evidence.collections.find(name);
  return at == evidence.collections.end() ? kNothing : at->second;
}

// Which records count: selected ones, or (all, ratio) selected ones for which `holding` is true.
Counted count(const Test& test, const Evidences& evidence) {
  Counted out;
  const bool of_part = test.kind == "ratio" || test.kind == "all";
  Subtraction minus(test, evidence);
  for (const Record& record : collection_of(evidence, test.of.collection).records) {
    Holds selected = weighed(test, record, evidence.as_of);
    if (selected == Holds::kNo) continue;
    out.records.insert(test.of.collection + ":" + record.id);
    selected = std::min(selected, minus.left(record, out.records));
    if (selected == Holds::kNo) continue;
    Holds counted = of_part ? holds(test.holding, record, evidence.as_of) : selected;
    if (of_part && selected == Holds::kMaybe) counted = Holds::kMaybe;  // it may not belong to them at all
    ++out.total;
    add(out, counted, record);
  }
  return out;
}

Verdict at_most(const Tally& t, uint64_t most, bool closed) {
  if (t.yes > most) return Verdict::kFail;
  return closed && t.yes + t.maybe <= most ? Verdict::kPass : Verdict::kInconclusive;
}

Verdict at_least(const Tally& t, uint64_t least, bool closed) {
  if (t.yes >= least) return closed ? Verdict::kPass : Verdict::kInconclusive;
  return closed && t.yes + t.maybe < least ? Verdict::kFail : Verdict::kInconclusive;
}

// Of every selected record, per mille; a selection of nothing says nothing.
Verdict share(const Tally& t, const Test& test, bool closed) {
  if (t.total == 0) return Verdict::kInconclusive;
  const auto reaches = [&](uint64_t n) {  // the reader allows a ratio > and >= alone
    return test.op == ">" ? n * 1000 > test.value * t.total : n * 1000 >= test.value * t.total;
  };
  if (reaches(t.yes)) return closed ? Verdict::kPass : Verdict::kInconclusive;
  return closed && !reaches(t.yes + t.maybe) ? Verdict::kFail : Verdict::kInconclusive;
}

Verdict decide(const Test& test, const Tally& t, bool closed) {
  if (test.kind == "none") return at_most(t, 0, closed);
  // Nothing seen is no proof that there is nothing: what analyses read is what they know how to read.
  if (test.kind == "any") return t.yes > 0 && closed ? Verdict::kPass : Verdict::kInconclusive;
  if (test.kind == "all") {
    if (t.yes + t.maybe < t.total) return Verdict::kFail;
    return closed && t.maybe == 0 ? Verdict::kPass : Verdict::kInconclusive;
  }
  if (test.kind == "ratio") return share(t, test, closed);
  if (test.op == "<=") return at_most(t, test.value, closed);
  if (test.op == "<") return at_most(t, test.value - 1, closed);  // the reader refuses 0
  return at_least(t, test.op == ">" ? test.value + 1 : test.value, closed);
}

Outcome run(const Test& test, const Evidences& evidence) {
  const Counted tally = count(test, evidence);
  const std::string missing = gap(test, evidence);
  Outcome out{.verdict = decide(test, tally, missing.empty()), .missing = !missing.empty()};
  out.because = reason_of(test, tally);
  if (!missing.empty() && out.verdict == Verdict::kInconclusive) out.because = missing;
  out.records = tally.records;
  return out;
}

Judgement judge(const Demand& demand, const Evidences& evidence) {
  Judgement out{.ref = demand.ref, .blocking = demand.blocking};
  const bool scoped = !demand.classes.empty();
  if (demand.tests.empty()) {
    out.because = "this policy has no test for it";
    return out;
  }
  if (scoped && evidence.network_class.empty()) {
    out.verdict = Verdict::kInconclusive;
    out.missing = true;
    out.because = "whether it applies is not known: the declaration names no class";
    return out;
  }
  if (scoped && std::ranges::find(demand.classes, evidence.network_class) == demand.classes.end()) {
    out.verdict = Verdict::kNotApplicable;
    out.because = "does not apply to the class " + escape(evidence.network_class);
    return out;
  }
  out.verdict = Verdict::kPass;
  std::set<std::string> records;
  for (const Test& test : demand.tests) {
    Outcome one = run(test, evidence);
    out.missing = out.missing || one.missing;
    if (rank_of(one.verdict) <= rank_of(out.verdict)) out.verdict = one.verdict;
    out.because += (out.because.empty() ? "" : "; ") + one.because;
    records.merge(one.records);
  }
  out.records.assign(records.begin(), records.end());
  return out;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::string_view kNames[] = {"FAIL", "INCONCLUSIVE", "NOT_TESTED", "NOT_APPLICABLE", "PASS"};
  return kNames[static_cast<size_t>(verdict)];
}

int rank_of(Verdict verdict) {
  if (verdict == Verdict::kFail) return 0;
  return verdict == Verdict::kInconclusive || verdict == Verdict::kNotTested ? 1 : 2;
}

std::vector<Judgement> evaluate(const Policy& policy, const Evidences& evidence) {
  std::vector<Judgement> out;
  for (const Demand& demand : policy.demands) out.push_back(judge(demand, evidence));
  return out;
}

}  // namespace assay::certify
