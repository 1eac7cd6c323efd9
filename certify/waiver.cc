// See waiver.h.
#include "certify/waiver.h"

#include "certify/base64.h"
#include "core/date.h"
#include "core/json_parse.h"
#include "core/json_text.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr int64_t kSecondsOfADay = 86400;

std::unexpected<Error> refuse(const std::string& what) { return fail(Fault::kMalformed, "waiver: " + what); }

struct Parts {
  std::string payload;
  std::vector<std::pair<std::string, std::string>> signatures;  // key id, signature
};

Result<Parts> read_parts(std::string_view file) {
  try {
    const Json json = TRY(parse_json(file, "waiver"));
    if (json.at("payloadType") != kStatementPayload) return refuse("payloadType is not that of a statement");
    Parts out;
    out.payload = TRY(from_base64(json.at("payload").get<std::string>(), "waiver: payload"));
    for (const Json& one : json.at("signatures")) {
      std::string bytes = TRY(from_base64(one.at("sig").get<std::string>(), "waiver: sig"));
      out.signatures.emplace_back(one.at("keyid").get<std::string>(), std::move(bytes));
    }
    return out;
  } catch (const Json::exception& error) {
    return refuse(std::string("not a waiver, or a damaged one: ") + error.what());
  }
}

std::string write_parts(const Parts& parts) {
  Ordered signatures = Ordered::array();
  for (const auto& [id, bytes] : parts.signatures) signatures.push_back({{"sig", base64(bytes)}, {"keyid", id}});
  return json_text(Ordered{
             {"payload", base64(parts.payload)}, {"payloadType", kStatementPayload}, {"signatures", signatures}}) +
         "\n";
}

Result<Waiver> read_payload(const std::string& payload) {
  try {
    const Json json = TRY(parse_json(payload, "waiver: the statement"));
    if (json.at("predicateType") != kWaiverType) return refuse("predicateType is not " + std::string(kWaiverType));
    const Json& predicate = json.at("predicate");
    Waiver out;
    out.ref = predicate.at("ref").get<std::string>();
    out.reason = predicate.at("reason").get<std::string>();
    out.until = predicate.at("until").get<std::string>();
    out.policy_sha256 = predicate.at("policy").at("sha256").get<std::string>();
    for (const Json& subject : json.at("subject"))
      out.images.push_back(subject.at("digest").at("sha256").get<std::string>());
    if (TRY(waiver_payload(out)) != payload) return refuse("not in the one encoding of a waiver");
    return out;
  } catch (const Json::exception& error) {
    return refuse(std::string("the statement in it is not one: ") + error.what());
  }
}

// The approvers whose signatures hold; one that does not hold spoils the whole.
Result<std::vector<PublicKey>> signers_of(const Parts& parts, const Policy& policy) {
  std::vector<PublicKey> out;
  for (const auto& [id, signature] : parts.signatures) {
    const auto key = std::ranges::find_if(policy.approvers, [&](const PublicKey& k) { return k.id() == id; });
    if (key == policy.approvers.end()) return refuse("key " + id + " is no approver of this policy");
    if (!verify_envelope({parts.payload, kStatementPayload, id, signature}, *key))
      return refuse("the signature of key " + id + " does not verify");
    if (std::ranges::find(out, *key) != out.end()) return refuse("key " + id + " signed twice");
    out.push_back(*key);
  }
  if (out.size() < 2) return refuse("needs the signatures of two approvers, has " + std::to_string(out.size()));
  return out;
}

Result<void> check_day(const Waiver& waiver, const Policy& policy, const std::string& as_of) {
  const int64_t today = TRY(seconds_of_date(as_of)), until = TRY(seconds_of_date(waiver.until));
  if (until < today) return refuse("it held until " + waiver.until + " and it is " + as_of);
  if (until - today > static_cast<int64_t>(policy.most_waived_days) * kSecondsOfADay)
    return refuse("it holds until " + waiver.until + "; the policy allows " + std::to_string(policy.most_waived_days) +
                  " days from " + as_of);
  return {};
}

}  // namespace

Result<std::string> waiver_payload(const Waiver& waiver) {
  if (waiver.reason.empty()) return refuse("the reason is empty");
  TRY(seconds_of_date(waiver.until));
  std::vector<Subject> subjects;
  for (const std::string& image : waiver.images) subjects.push_back({"image", image});
  const Ordered predicate = {{"ref", waiver.ref},
                             {"reason", waiver.reason},
                             {"until", waiver.until},
                             {"policy", {{"sha256", waiver.policy_sha256}}}};
  return statement_bytes({kWaiverType, subjects, json_text(predicate)});
}

std::string waiver_payload_of(std::string_view file) {
  const auto parts = read_parts(file);
  return parts ? parts->payload : "";
}

Result<std::string> sign_waiver(const std::string& file, const std::string& payload, const SigningKey& key) {
  Parts parts{.payload = payload};
  if (!file.empty()) parts = TRY(read_parts(file));
  TRY(read_payload(parts.payload));
  const std::string id = key.public_key().id();
  for (const auto& one : parts.signatures)
    if (one.first == id) return refuse("key " + id + " has signed it already");
  Envelope envelope = TRY(sign_envelope(parts.payload, kStatementPayload, key));
  parts.signatures.emplace_back(id, std::move(envelope.signature));
  return write_parts(parts);
}

Result<Waiver> accept_waiver(std::string_view file, const Policy& policy, const std::string& policy_sha256,
                             const Evidences& evidence, const PublicKey* certifier) {
  if (policy.approvers.empty()) return refuse("the policy " + policy.name + " allows none (decision.waivers)");
  const Parts parts = TRY(read_parts(file));
  Waiver out = TRY(read_payload(parts.payload));
  out.signers = TRY(signers_of(parts, policy));
  for (const PublicKey& signer : out.signers)
    if (certifier != nullptr && signer == *certifier) return refuse("the certificate's signer may not be an approver");
  if (out.policy_sha256 != policy_sha256) return refuse("it is for the policy with sha256 " + out.policy_sha256);
  std::vector<std::string> images = evidence.images;
  std::ranges::sort(images);
  if (out.images != images) return refuse("it is for other images");
  if (std::ranges::none_of(policy.demands, [&](const Demand& d) { return d.ref == out.ref; }))
    return refuse("the policy has no requirement " + out.ref);
  TRY_VOID(check_day(out, policy, evidence.as_of));
  out.file_sha256 = sha256(Bytes(file)).hex();
  return out;
}

Statement statement_of(const Waiver& waiver, std::string_view file, const std::vector<Subject>& subjects) {
  Ordered signers = Ordered::array();
  for (const PublicKey& key : waiver.signers) signers.push_back(key.id());
  const Ordered predicate = {{"ref", waiver.ref},
                             {"reason", escape(waiver.reason)},
                             {"until", waiver.until},
                             {"approvers", signers},
                             {"envelope", base64(file)}};
  return {kWaiverType, subjects, json_text(predicate)};
}

Result<std::string> waiver_file_of(std::string_view statement) {
  try {
    const Json json = TRY(parse_json(statement, "waiver: the attestation"));
    return from_base64(json.at("predicate").at("envelope").get<std::string>(), "waiver: envelope");
  } catch (const Json::exception& error) {
    return refuse(std::string("the attestation is damaged: ") + error.what());
  }
}

}  // namespace assay::certify
