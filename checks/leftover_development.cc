// leftover.development: files of development, debugging or test that the product does not need.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::leftover_development {
namespace {

constexpr uint32_t kCwe[] = {489, 1295};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_SOFTWARE", "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};
constexpr std::string_view kUsable[] = {"debugger", "compiler", "core-dump", "version-control", "script-debug"};

void run(const Input& input, Report& report) {
  for (const Leftover& l : input.facts.leftovers) {
    if (l.kind == "emulation") continue;  // leftover.emulation
    const Severity severity = is_one_of(l.kind, kUsable) ? Severity::kLow : Severity::kNote;
    report.state(severity, Confidence::kLikely,
                 plural(l.count, "file", "files") + " of development (" + l.kind +
                     (l.detail.empty() ? "" : ": " + escape(l.detail)) + ") left in the image, the first in " +
                     place(l.at),
                 l.at, l.more);
  }
}

}  // namespace

extern const Check kLeftoverDevelopment;
const Check kLeftoverDevelopment = {
    .id = "leftover.development",
    .version = 1,
    .title = "Left over from development",
    .means = "The image holds files of development, debugging or test.",
    .misses = "Debugging functions inside programs, and files whose names and contents do not give them away.",
    .mistakes = "Files the product uses after all, such as a debugger for its own crash reports.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::leftover_development
