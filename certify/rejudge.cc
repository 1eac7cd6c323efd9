// See rejudge.h.
#include "certify/rejudge.h"

#include "certify/evidence_file.h"
#include "core/json_parse.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <map>

namespace assay::certify {
namespace {

std::unexpected<Error> differs(const std::string& what) { return fail(Fault::kMalformed, "judged again, " + what); }

struct FromOutside {
  std::vector<Outside> evidence;
  std::vector<std::string> waivers;  // files as given
};

Result<FromOutside> from_outside(const Certificate& certificate) {
  FromOutside out;
  for (const Bundle& bundle : std::span(certificate.bundles).subspan(1)) {
    const std::string type = statement_type(bundle);
    if (type == kOutsideType) out.evidence.push_back(TRY(read_outside(bundle.envelope.payload)));
    if (type == kWaiverType) out.waivers.push_back(TRY(waiver_file_of(bundle.envelope.payload)));
  }
  return out;
}

// By requirement, out of a test result that may be anybody's; what is not in its form is left out.
std::map<std::string, std::string> verdicts_in(const std::string& test_result) {
  std::map<std::string, std::string> out;
  const auto json = parse_json(test_result, "test result");
  if (!json) return out;
  const nlohmann::json::json_pointer at("/predicate/" + std::string(kExtension) + "/judgements");
  if (!json->contains(at) || !json->at(at).is_array()) return out;
  for (const auto& one : json->at(at)) {
    if (!one.is_object() || !one.contains("ref") || !one.contains("verdict")) continue;
    if (one["ref"].is_string() && one["verdict"].is_string()) out[one["ref"]] = one["verdict"];
  }
  return out;
}

// Which verdict is another one; "" : none, something beside the verdicts is.
std::string other_verdict(const Bundle& test_result, const std::vector<Judgement>& judgements) {
  const auto said = verdicts_in(test_result.envelope.payload);
  for (const Judgement& j : judgements) {
    const auto at = said.find(escape(j.ref));
    const std::string have = at == said.end() ? "nothing" : escape(unescape(at->second));
    if (have != name_of(j.verdict))
      return escape(j.ref) + " is " + std::string(name_of(j.verdict)) + ", the certificate says " + have;
  }
  return "";
}

Result<void> compare(const Certificate& certificate, const Statements& now, const std::vector<Judgement>& judgements) {
  if (certificate.bundles.size() != now.inputs.size() + 1)
    return differs("there are " + std::to_string(now.inputs.size()) + " statements, the certificate has " +
                   std::to_string(certificate.bundles.size() - 1));
  for (size_t i = 0; i < now.inputs.size(); ++i) {
    const Bundle& bundle = certificate.bundles[i + 1];
    if (sha256(Bytes(TRY(statement_bytes(now.inputs[i])))).hex() == digest_of(bundle)) continue;
    const std::string verdict = i == 0 && bundle.withheld.empty() ? other_verdict(bundle, judgements) : "";
    return differs(!verdict.empty() ? verdict : "the statement " + now.inputs[i].predicate_type + " is another one");
  }
  if (TRY(statement_bytes(now.verdict)) == certificate.bundles[0].envelope.payload) return {};
  return differs("the verdict's own statement (decision, level, days) is another one");
}

}  // namespace

bool shows_its_grounds(const Certificate& certificate, size_t images) {
  const size_t own = 2 + 2 * images;  // the verdict, the test result, and of each image two
  for (size_t i = own; i < certificate.bundles.size(); ++i)
    if (!certificate.bundles[i].withheld.empty()) return false;
  return true;
}

Result<void> rejudge(const Certificate& certificate, const Policy& policy, const std::string& policy_sha256,
                     const std::string& program_sha256, const Examined& examined) {
  FromOutside outside = TRY(from_outside(certificate));
  Evidences evidence = examined.evidence;
  for (const Outside& one : outside.evidence) add(evidence, one);
  Ground ground{.images = examined.images,
                .policy = &policy,
                .policy_sha256 = policy_sha256,
                .program_sha256 = program_sha256,
                .evidence_sha256 = sha256(Bytes(evidence_json(evidence))).hex(),
                .outside = std::move(outside.evidence),
                .waivers = {},
                .declaration = examined.declaration};
  for (std::string& file : outside.waivers) {
    auto waiver = accept_waiver(file, policy, policy_sha256, evidence, &certificate.bundles[0].signer);
    if (!waiver) return fail(waiver.error().fault, escape(waiver.error().what));
    ground.waivers.push_back({std::move(*waiver), std::move(file)});
  }
  const auto judgements = evaluate(policy, evidence);
  return compare(certificate, TRY(statements_of(ground, judgements)), judgements);
}

}  // namespace assay::certify
