// leftover.emulation: files that preparing an image for an emulator puts into it. Then the bytes examined are not, or
// not only, those that a device gets. All of them are one finding: they have one cause.
#include "checks/words.h"
#include "core/text.h"

#include <set>

namespace assay::checks::leftover_emulation {
namespace {

constexpr uint32_t kCwe[] = {489, 1059};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_SOFTWARE"};

void run(const Input& input, Report& report) {
  uint64_t count = 0;
  std::set<std::string> details;
  std::vector<Evidence> at;
  for (const Leftover& l : input.facts.leftovers) {
    if (l.kind != "emulation") continue;
    count += l.count;
    details.insert(escape(l.detail));
    at.push_back(l.at);
    at.insert(at.end(), l.more.begin(), l.more.end());
  }
  if (at.empty()) return;
  std::string list;
  for (const std::string& detail : details) list += (list.empty() ? "" : ", ") + detail;
  report.state(Severity::kMedium, Confidence::kLikely,
               plural(count, "file", "files") + " of the image belong to an emulator's environment" +
                   (list.empty() ? "" : " (" + list + ")") + ", the first is " + place(at.front()) +
                   "; the bytes examined may differ from those that devices get",
               at.front(), some(at));
}

}  // namespace

extern const Check kLeftoverEmulation;
const Check kLeftoverEmulation = {
    .id = "leftover.emulation",
    .version = 1,
    .title = "Traces of an emulator in the image",
    .means = "The image holds files that are put in to run it under an emulator.",
    .misses = "Emulation that leaves no file behind.",
    .mistakes = "Products that are themselves built to run under an emulator.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::leftover_emulation
