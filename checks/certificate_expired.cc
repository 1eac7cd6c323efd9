// certificate.expired: a certificate's validity (RFC 5280, 4.1.2.5) ended before the day of the examination. A bundle
// of authorities ages by itself, so it is stated once per file and lower than a certificate whose private key is here.
#include "checks/words.h"
#include "core/date.h"

#include <map>

namespace assay::checks::certificate_expired {
namespace {

constexpr uint32_t kCwe[] = {298};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PROTECT_TRANSPORT_LAYER"};

bool has_private_key(const Facts& facts, const Key& certificate) {
  if (certificate.fingerprint.empty()) return false;
  for (const Key& k : facts.keys)
    if (k.kind == "private-key" && k.fingerprint == certificate.fingerprint) return true;
  return false;
}

struct Expired {
  std::vector<const Key*> certificates;
  bool own = false;  // the private key of one of them is in the image
};

void state(const std::string& as_of, const Expired& found, Report& report) {
  std::vector<Evidence> at;
  for (const Key* k : found.certificates) at.push_back(k->at);
  const Key& first = *found.certificates.front();
  report.state(found.own ? Severity::kMedium : Severity::kLow, Confidence::kCertain,
               plural(at.size(), "certificate", "certificates") + " in " + place(at.front()) + " expired before " +
                   as_of + "; the first, of " + in_quotes(first.subject) + ", was valid until " +
                   date_of(*first.not_after) + (found.own ? "; its private key is in the image" : ""),
               at.front(), some(at));
}

void run(const Input& input, Report& report) {
  std::map<std::pair<std::string, bool>, Expired> by_file;  // file, own
  for (const Key& k : input.facts.keys) {
    if (k.kind != "certificate" || !k.not_after || *k.not_after >= input.as_of_seconds) continue;
    const bool own = has_private_key(input.facts, k);
    Expired& found = by_file[{k.at.artifact, own}];
    found.certificates.push_back(&k);
    found.own = own;
  }
  for (const auto& [file, found] : by_file) state(input.as_of, found, report);
}

}  // namespace

extern const Check kCertificateExpired;
const Check kCertificateExpired = {
    .id = "certificate.expired",
    .version = 1,
    .title = "Expired certificate",
    .means = "The validity of a certificate in the image ended before the day of the examination.",
    .misses = "Certificates made or fetched when the device runs; certificates revoked by their authority.",
    .mistakes = "Certificates kept to recognise old signatures, and devices whose clock is never right anyway.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::certificate_expired
