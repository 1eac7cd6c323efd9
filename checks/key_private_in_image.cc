// key.private_in_image: a private key lies in the image. Everyone who has the image has it, so what it proves (a
// server's identity, a signature) is proved by anyone.
#include "checks/words.h"

namespace assay::checks::key_private_in_image {
namespace {

constexpr uint32_t kCwe[] = {321, 798};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION",
                                              "TS 33.117 TC_CONFIDENTIAL_SYSTEM_INTERNAL_DATA"};

const Key* certificate_of(const Facts& facts, const Key& secret) {
  if (secret.fingerprint.empty()) return nullptr;
  for (const Key& k : facts.keys)
    if (k.kind == "certificate" && k.fingerprint == secret.fingerprint) return &k;
  return nullptr;
}

void run(const Input& input, Report& report) {
  for (const Key& k : input.facts.keys) {
    if (k.kind != "private-key") continue;
    const Key* certificate = certificate_of(input.facts, k);
    std::string claim = "A private key (" + (k.algorithm.empty() ? "algorithm not read" : k.algorithm) +
                        (k.bits != 0 ? ", " + std::to_string(k.bits) + " bits" : "") + ", " + k.container + ") is in " +
                        place(k.at) +
                        (k.encrypted ? ", encrypted with a passphrase" : ", readable without a passphrase");
    std::vector<Evidence> more;
    if (certificate != nullptr) {
      claim += "; the certificate of " + in_quotes(certificate->subject) + " in " + place(certificate->at) +
               " belongs to it";
      if (certificate->authority) claim += " and is one of an authority";
      more.push_back(certificate->at);
    }
    const bool authority = certificate != nullptr && certificate->authority && !k.encrypted;
    report.state(authority     ? Severity::kCritical
                 : k.encrypted ? Severity::kMedium
                               : Severity::kHigh,
                 Confidence::kCertain, claim, k.at, more);
  }
}

}  // namespace

extern const Check kKeyPrivateInImage;
const Check kKeyPrivateInImage = {
    .id = "key.private_in_image",
    .version = 1,
    .title = "Private key in the image",
    .means = "A private key is stored in the image and is therefore the same on every device with it.",
    .misses = "Keys split, encoded or encrypted by the program that uses them.",
    .mistakes = "Examples and test keys that nothing uses; keys that the device replaces at first boot.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::key_private_in_image
