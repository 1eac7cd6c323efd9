#include "certify/verdict.h"

#include "core/date.h"
#include "core/json_text.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered digest(const std::string& sha256) { return {{"sha256", sha256}}; }

Subject subject_of(const Image& image) { return {escape(image.examination->name), image.examination->sha256.hex()}; }

std::vector<Subject> subjects(const Ground& g) {
  std::vector<Subject> out;
  for (const Image& image : g.images) out.push_back(subject_of(image));
  return out;
}

// One image is named by its digest; a submission of several by the digest over theirs, a line each in the order given.
std::string resource_of(const Ground& g) {
  if (g.images.size() == 1) return "urn:sha256:" + g.images[0].examination->sha256.hex();
  std::string lines;
  for (const Image& image : g.images) lines += image.examination->sha256.hex() + "\n";
  return "urn:assay:submission:sha256:" + sha256(Bytes(lines)).hex();
}

std::vector<std::string> refs(const std::vector<Judgement>& judgements, std::initializer_list<Verdict> verdicts) {
  std::vector<std::string> out;
  for (const Judgement& j : judgements)
    if (std::ranges::find(verdicts, j.verdict) != verdicts.end()) out.push_back(j.ref);
  return out;
}

// Of the blocking ones that are not waived.
template <class Is>
size_t count(const std::vector<Judgement>& judgements, const std::vector<std::string>& waived, Is is) {
  return static_cast<size_t>(std::ranges::count_if(judgements, [&](const Judgement& j) {
    return j.blocking && is(j) && std::ranges::find(waived, j.ref) == waived.end();
  }));
}

Ordered policy_of(const Ground& g) {
  return {{"uri", "urn:assay:policy:" + g.policy->name + ":" + g.policy->version}, {"digest", digest(g.policy_sha256)}};
}

Ordered coverage_of(const Examination& e) {
  return {{"image", e.sha256.hex()},
          {"complete", e.complete},
          {"because", e.incomplete_because},
          {"bytes", {{"total", e.bytes.total}, {"unknown", e.bytes.unknown}, {"encrypted", e.bytes.encrypted}}},
          {"files", {{"total", e.files.total}, {"unread", e.files.unread}}}};
}

// Each requirement with its verdict, its reason and exactly the records it rests on.
Ordered judgements_of(const std::vector<Judgement>& judgements) {
  Ordered out = Ordered::array();
  for (const Judgement& j : judgements)
    out.push_back({{"ref", escape(j.ref)},
                   {"blocking", j.blocking},
                   {"verdict", std::string(name_of(j.verdict))},
                   {"evidenceMissing", j.missing},
                   {"because", j.because},
                   {"records", j.records}});
  return out;
}

Statement test_result(const Ground& g, const std::vector<Judgement>& judgements, bool passed) {
  Ordered coverage = Ordered::array();
  for (const Image& image : g.images) coverage.push_back(coverage_of(*image.examination));
  const Ordered predicate = {{"result", passed ? "PASSED" : "FAILED"},
                             {"configuration", Ordered::array({policy_of(g)})},
                             {"passedTests", refs(judgements, {Verdict::kPass})},
                             {"warnedTests", refs(judgements, {Verdict::kInconclusive, Verdict::kNotTested})},
                             {"failedTests", refs(judgements, {Verdict::kFail})},
                             {kExtension,
                              {{"coverage", coverage},
                               {"rules", g.images[0].examination->rules_digest},
                               {"evidence", digest(g.evidence_sha256)},
                               {"judgements", judgements_of(judgements)},
                               {"notApplicable", refs(judgements, {Verdict::kNotApplicable})}}}};
  return {kTestResultType, subjects(g), json_text(predicate)};
}

Ordered attestations_of(const std::vector<std::string>& digests) {
  Ordered out = Ordered::array();
  for (const std::string& one : digests) out.push_back({{"digest", digest(one)}});
  return out;
}

Ordered images_of(const Ground& g) {
  Ordered out = Ordered::array();
  for (const Image& image : g.images)
    out.push_back({{"name", escape(image.examination->name)},
                   {"sha256", image.examination->sha256.hex()},
                   {"factRoot", image.facts.root.hex()},
                   {"arrows", image.facts.arrows.size()}});
  return out;
}

Ordered waivers_of(const Ground& g) {
  Ordered out = Ordered::array();
  for (const Waived& one : g.waivers)
    out.push_back({{"ref", escape(one.waiver.ref)}, {"until", one.waiver.until}, {"sha256", one.waiver.file_sha256}});
  return out;
}

// The last day: by the policy, and by the waiver that ends first.
Result<std::string> valid_until(const Ground& g) {
  const int64_t from = TRY(seconds_of_date(g.images[0].examination->as_of));
  std::string out = date_of(from + static_cast<int64_t>(g.policy->validity_days) * 86400);
  for (const Waived& one : g.waivers) out = std::min(out, one.waiver.until);
  return out;
}

// What the vendor calls it: printed, and read by no rule.
Ordered product_of(const checks::Declaration& d) {
  Ordered out = Ordered::object();
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"vendor", d.names.vendor},
                                    {"product", d.names.product},
                                    {"model", d.names.model},
                                    {"release", d.names.release},
                                    {"uniqueId", d.names.unique_id},
                                    {"class", d.network_class}})
    if (!value.empty()) out[name] = escape(value);
  return out;
}

Result<Ordered> extension_of(const Ground& g) {
  const Examination& e = *g.images[0].examination;
  Ordered keys = Ordered::array();
  for (const auto& [format, sha256] : e.keys_used) keys.push_back({{"format", format}, {"sha256", sha256}});
  Ordered out = {{"program", {{"version", e.tool_version}, {"sha256", g.program_sha256}}},
                 {"validFrom", e.as_of},
                 {"validUntil", TRY(valid_until(g))},
                 {"images", images_of(g)},
                 {"asOf", e.as_of},
                 {"keys", keys}};
  if (!e.declaration_digest.empty()) out["declaration"] = digest(e.declaration_digest);
  if (g.declaration != nullptr)
    if (const Ordered product = product_of(*g.declaration); !product.empty()) out["product"] = product;
  if (!g.waivers.empty()) out["waivers"] = waivers_of(g);
  return out;
}

std::vector<std::string> waived_refs(const Ground& g) {
  std::vector<std::string> out;
  for (const Waived& one : g.waivers) out.push_back(one.waiver.ref);
  return out;
}

// A level that holds by a waiver is another one, so that nobody takes it for the whole.
Ordered levels_of(const Ground& g, bool passed) {
  if (!passed) return Ordered::array();
  return Ordered::array({g.policy->level + (g.waivers.empty() ? "" : "_WITH_WAIVERS")});
}

std::vector<Statement> inputs_of(const Ground& g, const std::vector<Judgement>& judgements, bool passed) {
  std::vector<Statement> out = {test_result(g, judgements, passed)};
  for (const Image& image : g.images) out.push_back({kSbomType, {subject_of(image)}, image.sbom});
  for (const Image& image : g.images) out.push_back(arrows_statement(subject_of(image), image.facts));
  for (const Outside& one : g.outside) out.push_back(statement_of(one, subjects(g)));
  for (const Waived& one : g.waivers) out.push_back(statement_of(one.waiver, one.file, subjects(g)));
  return out;
}

}  // namespace

Decision decide(const Policy& policy, const std::vector<Judgement>& judgements, bool complete,
                const std::vector<std::string>& waived) {
  const auto is = [](Verdict verdict) { return [verdict](const Judgement& j) { return j.verdict == verdict; }; };
  const size_t failed = count(judgements, waived, is(Verdict::kFail));
  const size_t missing = count(judgements, waived, [](const Judgement& j) { return j.missing; });
  const size_t open = count(judgements, waived, is(Verdict::kInconclusive));
  if (failed > 0) return {false, std::to_string(failed) + " blocking requirements FAIL"};
  if (missing > 0) return {false, "evidence is missing for " + std::to_string(missing) + " blocking requirements"};
  if (open > policy.most_inconclusive)
    return {false, std::to_string(open) + " blocking requirements are INCONCLUSIVE; the policy allows " +
                       std::to_string(policy.most_inconclusive)};
  if (count(judgements, {}, is(Verdict::kPass)) == 0) return {false, "no blocking requirement is PASS"};
  if (!complete) return {false, "the examination is not complete"};
  return {true, waived.empty()
                    ? "no blocking requirement FAILs"
                    : "no blocking requirement FAILs but " + std::to_string(waived.size()) + " that are waived"};
}

Decision decide(const Ground& ground, const std::vector<Judgement>& judgements) {
  const bool complete = std::ranges::all_of(ground.images, [](const Image& i) { return i.examination->complete; });
  return decide(*ground.policy, judgements, complete, waived_refs(ground));
}

Result<Statements> statements_of(const Ground& ground, const std::vector<Judgement>& judgements) {
  const Examination& e = *ground.images[0].examination;
  const Decision decision = decide(ground, judgements);
  Statements out;
  out.inputs = inputs_of(ground, judgements, decision.passed);
  std::vector<std::string> digests;
  for (const Statement& input : out.inputs) digests.push_back(sha256(Bytes(TRY(statement_bytes(input)))).hex());
  const Ordered predicate = {{"verifier", {{"id", "urn:assay:program"}}},
                             {"timeVerified", e.as_of + "T00:00:00Z"},
                             {"resourceUri", resource_of(ground)},
                             {"policy", policy_of(ground)},
                             {"inputAttestations", attestations_of(digests)},
                             {"verificationResult", decision.passed ? "PASSED" : "FAILED"},
                             {"verifiedLevels", levels_of(ground, decision.passed)},
                             {kExtension, TRY(extension_of(ground))}};
  out.verdict = {kVerdictType, subjects(ground), json_text(predicate)};
  return out;
}

}  // namespace assay::certify
