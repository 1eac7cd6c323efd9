// A waiver: two approvers that a policy names accept, for a reason and until a day, that one requirement is not met by
// these images. The verdict stays what it is; only the decision does not stop at it, and the certificate says so.
//
// The file is a DSSE envelope (JSON) over an in-toto statement with one signature an approver.
#pragma once
#include "certify/dsse.h"
#include "certify/policy.h"
#include "certify/statement.h"

namespace assay::certify {

inline constexpr char kWaiverType[] = "urn:assay:waiver:v1";

struct Waiver {
  std::string ref, reason, until;   // until: YYYY-MM-DD, the last day
  std::string policy_sha256;        // hex
  std::vector<std::string> images;  // sha256, hex, sorted
  std::vector<PublicKey> signers;   // whose signatures hold
  std::string file_sha256;          // of the file as given
};

// The statement that is signed.
Result<std::string> waiver_payload(const Waiver& waiver);
// The file with one signature more; `file` is empty for the first.
Result<std::string> sign_waiver(const std::string& file, const std::string& payload, const SigningKey& key);
std::string waiver_payload_of(std::string_view file);  // "" : not a waiver

// Reads and holds it against the policy, the images and the day: two different approvers signed, none of whom is
// `certifier`.
Result<Waiver> accept_waiver(std::string_view file, const Policy& policy, const std::string& policy_sha256,
                             const Evidences& evidence, const PublicKey* certifier);

// As an attestation of the certificate: what was waived, and the approvers' envelope as it is.
Statement statement_of(const Waiver& waiver, std::string_view file, const std::vector<Subject>& subjects);
Result<std::string> waiver_file_of(std::string_view statement);  // of such a statement's bytes: the file as given

}  // namespace assay::certify
