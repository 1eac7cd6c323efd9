#include "certify/verdict.h"

#include "core/date.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kTestResultType[] = "https://in-toto.io/attestation/test-result/v0.1";
constexpr char kSbomType[] = "https://cyclonedx.org/bom";

Json digest(const std::string& sha256) { return {{"sha256", sha256}}; }

std::vector<Subject> subjects(const Examination& e) { return {{escape(e.name), e.sha256.hex()}}; }

std::vector<std::string> refs(const std::vector<Judgement>& judgements, std::initializer_list<Verdict> verdicts) {
  std::vector<std::string> out;
  for (const Judgement& j : judgements)
    if (std::ranges::find(verdicts, j.verdict) != verdicts.end()) out.push_back(j.ref);
  return out;
}

size_t count(const std::vector<Judgement>& judgements, Verdict verdict, bool blocking_only) {
  return static_cast<size_t>(std::ranges::count_if(
      judgements, [&](const Judgement& j) { return j.verdict == verdict && (j.blocking || !blocking_only); }));
}

Json policy_of(const Ground& g) {
  return {{"uri", "urn:assay:policy:" + g.policy->name + ":" + g.policy->version}, {"digest", digest(g.policy_sha256)}};
}

Json coverage_of(const Examination& e) {
  return {{"complete", e.complete},
          {"because", e.incomplete_because},
          {"bytes", {{"total", e.bytes.total}, {"unknown", e.bytes.unknown}, {"encrypted", e.bytes.encrypted}}},
          {"files", {{"total", e.files.total}, {"unread", e.files.unread}}}};
}

// Each requirement with its verdict, its reason and exactly the records it rests on.
Json judgements_of(const std::vector<Judgement>& judgements) {
  Json out = Json::array();
  for (const Judgement& j : judgements)
    out.push_back({{"ref", escape(j.ref)},
                   {"blocking", j.blocking},
                   {"verdict", std::string(name_of(j.verdict))},
                   {"because", escape(j.because)},
                   {"records", j.records}});
  return out;
}

Statement test_result(const Ground& g, const std::vector<Judgement>& judgements, bool passed) {
  const Examination& e = *g.examination;
  const Json predicate = {{"result", passed ? "PASSED" : "FAILED"},
                          {"configuration", Json::array({policy_of(g)})},
                          {"passedTests", refs(judgements, {Verdict::kPass})},
                          {"warnedTests", refs(judgements, {Verdict::kInconclusive, Verdict::kNotTested})},
                          {"failedTests", refs(judgements, {Verdict::kFail})},
                          {kExtension,
                           {{"coverage", coverage_of(e)},
                            {"rules", e.rules_digest},
                            {"judgements", judgements_of(judgements)},
                            {"notApplicable", refs(judgements, {Verdict::kNotApplicable})}}}};
  return {kTestResultType, subjects(e), predicate.dump()};
}

Json inputs_of(const std::vector<std::string>& digests) {
  Json out = Json::array();
  for (const std::string& one : digests) out.push_back({{"digest", digest(one)}});
  return out;
}

Result<Json> extension_of(const Ground& g) {
  const Examination& e = *g.examination;
  const int64_t from = TRY(seconds_of_date(e.as_of));
  Json keys = Json::array();
  for (const auto& [format, sha256] : e.keys_used) keys.push_back({{"format", format}, {"sha256", sha256}});
  Json out = {{"program", {{"version", e.tool_version}, {"sha256", g.program_sha256}}},
              {"validFrom", e.as_of},
              {"validUntil", date_of(from + static_cast<int64_t>(g.policy->validity_days) * 86400)},
              {"images", Json::array({{{"name", escape(e.name)}, {"sha256", e.sha256.hex()}}})},
              {"asOf", e.as_of},
              {"keys", keys}};
  if (!e.declaration_digest.empty()) out["declaration"] = digest(e.declaration_digest);
  return out;
}

}  // namespace

Decision decide(const Ground& ground, const std::vector<Judgement>& judgements) {
  const size_t failed = count(judgements, Verdict::kFail, true);
  const size_t open = count(judgements, Verdict::kInconclusive, true);
  if (failed > 0) return {false, std::to_string(failed) + " blocking requirements FAIL"};
  if (!ground.examination->complete) return {false, "the examination is not complete"};
  if (open > ground.policy->most_inconclusive)
    return {false, std::to_string(open) + " blocking requirements are INCONCLUSIVE; the policy allows " +
                       std::to_string(ground.policy->most_inconclusive)};
  if (count(judgements, Verdict::kPass, false) == 0) return {false, "no requirement was tested"};
  return {true, "no blocking requirement FAILs"};
}

Result<Statements> statements_of(const Ground& ground, const std::vector<Judgement>& judgements) {
  const Examination& e = *ground.examination;
  const Decision decision = decide(ground, judgements);
  Statements out;
  out.inputs = {test_result(ground, judgements, decision.passed), {kSbomType, subjects(e), ground.sbom}};
  std::vector<std::string> digests;
  for (const Statement& input : out.inputs) digests.push_back(sha256(Bytes(TRY(statement_bytes(input)))).hex());
  const Json predicate = {{"verifier", {{"id", "urn:assay:program"}}},
                          {"timeVerified", e.as_of + "T00:00:00Z"},
                          {"resourceUri", "urn:sha256:" + e.sha256.hex()},
                          {"policy", policy_of(ground)},
                          {"inputAttestations", inputs_of(digests)},
                          {"verificationResult", decision.passed ? "PASSED" : "FAILED"},
                          {"verifiedLevels", decision.passed ? Json::array({ground.policy->level}) : Json::array()},
                          {kExtension, TRY(extension_of(ground))}};
  out.verdict = {kVerdictType, subjects(e), predicate.dump()};
  return out;
}

}  // namespace assay::certify
