// update.unsigned: software is written to the device without a signature being checked. Where that was seen it is
// stated per place; where the image writes flash and no trace of a signature was found anywhere, once, as a
// possibility.
#include "checks/words.h"
#include "core/text.h"

#include <map>

namespace assay::checks::update_unsigned {
namespace {

constexpr uint32_t kCwe[] = {347, 494};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SW_PKG_INTEGRITY_1"};

bool is_signature(const Update& u) {
  return u.kind == "signature-check" || u.kind == "verification-key" || u.verified == Known::kYes;
}
// A script is stated beside each command in it that writes; the commands tell more.
bool writes(const Update& u) { return u.kind == "flash-write" || (u.kind == "program" && u.transport == "local"); }

void state_unchecked(const std::vector<const Update*>& places, Report& report) {
  std::vector<Evidence> at;
  for (const Update* u : places) at.push_back(u->at);
  report.state(Severity::kHigh, Confidence::kLikely,
               place(at.front()) + " fetches software, writes it to the device (" + in_quotes(places.front()->value) +
                   ") and checks no signature",
               at.front(), some(at));
}

void run(const Input& input, Report& report) {
  bool signature = false;
  const Update* checksum = nullptr;
  std::vector<Evidence> unknown;
  std::map<std::string, std::vector<const Update*>> unchecked;  // by script
  for (const Update& u : input.facts.update) {
    signature = signature || is_signature(u);
    if (u.kind == "checksum-check" && checksum == nullptr) checksum = &u;
    if (writes(u) && u.verified == Known::kUnknown) unknown.push_back(u.at);
    if (writes(u) && u.verified == Known::kNo) unchecked[u.at.artifact].push_back(&u);
  }
  for (const auto& [script, places] : unchecked) state_unchecked(places, report);
  if (signature || unknown.empty()) return;
  report.state(Severity::kLow, Confidence::kPossible,
               plural(unknown.size(), "place writes", "places write") + " software to the device, the first in " +
                   place(unknown.front()) + ", and nothing was found in the image that checks a signature" +
                   (checksum != nullptr ? "; a checksum is checked in " + place(checksum->at) : ""),
               unknown.front(), some(unknown));
}

}  // namespace

extern const Check kUpdateUnsigned;
const Check kUpdateUnsigned = {
    .id = "update.unsigned",
    .version = 1,
    .title = "Software written without a signature check",
    .means = "What writes software to the device was not seen to check a signature before.",
    .misses = "Checks that are there and can be passed by, and keys that are public.",
    .mistakes = "Checks in a boot loader or chip outside the image, and signatures checked by an unrecognised program.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::update_unsigned
