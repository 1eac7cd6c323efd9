// key.shared: one key serves in several places: the same private key in several files, or certificates of different
// names over one key. Losing it in one place loses it in all.
#include "checks/words.h"

#include <map>
#include <set>

namespace assay::checks::key_shared {
namespace {

constexpr uint32_t kCwe[] = {323, 1391};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION"};

struct Uses {
  std::vector<Evidence> secrets, certificates;
  std::set<std::string> files;     // that hold the private key
  std::set<std::string> subjects;  // and serial numbers: different certificates
};

std::map<std::string, Uses> uses_by_fingerprint(const Facts& facts) {
  std::map<std::string, Uses> out;
  for (const Key& k : facts.keys) {
    if (k.fingerprint.empty()) continue;
    if (k.kind == "private-key") {
      out[k.fingerprint].secrets.push_back(k.at);
      out[k.fingerprint].files.insert(k.at.artifact);
    } else if (k.kind == "certificate" && !k.authority) {
      out[k.fingerprint].certificates.push_back(k.at);
      out[k.fingerprint].subjects.insert(k.subject);
    }
  }
  return out;
}

void run(const Input& input, Report& report) {
  for (const auto& [fingerprint, uses] : uses_by_fingerprint(input.facts)) {
    const std::string key = "The key with the fingerprint " + fingerprint.substr(0, 16) + "… ";
    if (uses.files.size() > 1)
      report.state(Severity::kMedium, Confidence::kCertain,
                   key + "is stored as a private key in " + plural(uses.files.size(), "file", "files") +
                       ", the first " + place(uses.secrets.front()),
                   uses.secrets.front(), some(uses.secrets));
    if (uses.subjects.size() > 1)
      report.state(Severity::kLow, Confidence::kCertain,
                   key + "stands in certificates of " + plural(uses.subjects.size(), "subject", "subjects") +
                       ", the first " + in_quotes(*uses.subjects.begin()),
                   uses.certificates.front(), some(uses.certificates));
  }
}

}  // namespace

extern const Check kKeyShared;
const Check kKeyShared = {
    .id = "key.shared",
    .version = 1,
    .title = "One key used in several places",
    .means = "The same private key lies in several files, or certificates of different subjects share one key.",
    .misses = "Keys shared with other products or images: only this image was looked at.",
    .mistakes = "Two copies of one file system in the image, as devices with two boot partitions have.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::key_shared
