// A policy: which requirement is judged by which evidence (docs/policy.md). A closed vocabulary, no general language:
// every policy ends, and a reader can follow it with a pencil.
//
// A quantity over evidence is an interval: the lower end counts what is certain, the upper end also what may be (a
// field that is not known, a finding that is only possible, a collection that is not complete has no upper end). A
// check is PASS when the whole interval satisfies it, FAIL when none of it does, else INCONCLUSIVE. Operators that a
// further finding could satisfy are refused, so adding a finding or losing coverage never raises a verdict.
#pragma once
#include "certify/keys.h"
#include "certify/records.h"

#include <optional>

namespace assay::certify {

enum class Verdict : uint8_t { kFail, kInconclusive, kNotTested, kNotApplicable, kPass };
std::string_view name_of(Verdict verdict);
int rank_of(Verdict verdict);  // FAIL 0 < INCONCLUSIVE, NOT_TESTED 1 < PASS, NOT_APPLICABLE 2

struct Condition {
  std::string field, op;           // ==, !=, ^=, in, <, <=, >, >=
  std::vector<std::string> value;  // several only with in
  bool days_since = false;         // days_since(field): how many lie between it and the day that is judged by
};
struct Selector {  // collection[condition and condition]
  std::string collection;
  std::vector<Condition> conditions;
};
Result<Selector> read_selector(std::string_view text);
std::string unknown_evidence(const std::string& name);  // the message for a collection that there is not
Result<std::vector<Condition>> read_conditions(std::string_view text);

struct Test {  // one line of a requirement's check
  Selector of;
  std::string kind;                // none, all, any, count, ratio
  std::vector<Condition> holding;  // of all and ratio
  std::string op;                  // of count and ratio: <, <=, >, >=
  uint64_t value = 0;              // of ratio: per mille
  std::vector<std::string> needs;  // collections that must be complete besides
  std::string minus;               // a collection: what has an equal in it is not selected
  std::vector<std::string> by;     // of minus: the fields that must be equal
  int line = 0;                    // where it stands in its file
  std::string weakest;             // of none over findings: possible, likely or certain counts; below, it may be
};

struct Demand {
  std::string ref;  // "TS 33.117:4.3.2.1 TC_NO_UNNECESSARY_SERVICE"
  bool blocking = true;
  std::vector<std::string> classes;  // empty: all
  std::vector<Test> tests;           // all must hold; empty: this policy has no test for it
};

struct Policy {
  std::string name, version, title, level;
  uint64_t validity_days = 0, most_inconclusive = 0;
  std::vector<PublicKey> approvers;  // two of whom may waive a requirement; empty: nobody may
  uint64_t most_waived_days = 0;     // a waiver holds at most so long
  std::vector<Demand> demands;
};

// Errors name line and key, and the operators there are.
Result<Policy> read_policy(std::string_view yaml);
// Whether each field is one that the records of its collection have: a misspelt one would never be known.
Result<void> check_fields(const Policy& policy);

struct Judgement {
  std::string ref;
  bool blocking = true;
  Verdict verdict = Verdict::kNotTested;
  bool missing = false;              // it could not be judged whole because evidence is not there, or not complete
  std::string because;               // printable: what escape() gives
  std::vector<std::string> records;  // "findings:0123456789ab": exactly those it rests on, sorted
};
std::vector<Judgement> evaluate(const Policy& policy, const Evidences& evidence);

struct Embedded {
  std::string_view name, text;
};
std::span<const Embedded> embedded_policies();

}  // namespace assay::certify
