// key.authorized_key: a public key in the image opens a login (authorized_keys, sshd(8)). Whoever holds the private key
// logs in to every device with this image. If that private key lies in the image too, everyone holds it.
#include "checks/words.h"

namespace assay::checks::key_authorized_key {
namespace {

constexpr uint32_t kCwe[] = {798, 1392};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION"};

const Key* private_key_of(const Facts& facts, const Key& authorized) {
  if (authorized.fingerprint.empty()) return nullptr;
  for (const Key& k : facts.keys)
    if (k.kind == "private-key" && k.fingerprint == authorized.fingerprint) return &k;
  return nullptr;
}

void run(const Input& input, Report& report) {
  for (const Key& k : input.facts.keys) {
    if (k.kind != "authorized-key") continue;
    const Key* secret = private_key_of(input.facts, k);
    std::string claim = "The holder of a private key logs in over SSH: " + place(k.at) + " authorises the " +
                        k.algorithm + " key " + (k.fingerprint.empty() ? "" : k.fingerprint.substr(0, 16) + "… ") +
                        (k.subject.empty() ? "" : "with the comment " + in_quotes(k.subject));
    std::vector<Evidence> more;
    if (secret != nullptr) {
      claim += "; its private key is in the image as well, in " + place(secret->at);
      more.push_back(secret->at);
    }
    report.state(secret != nullptr ? Severity::kCritical : Severity::kHigh, Confidence::kCertain, claim, k.at, more);
  }
}

}  // namespace

extern const Check kKeyAuthorizedKey;
const Check kKeyAuthorizedKey = {
    .id = "key.authorized_key",
    .version = 1,
    .title = "Key in the image that opens a login",
    .means = "A list of authorised public keys is part of the image and not empty.",
    .misses = "Keys compiled into a login program, and lists fetched when the device runs.",
    .mistakes = "A list in a home directory that no login uses, or an SSH server that is never started.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::key_authorized_key
