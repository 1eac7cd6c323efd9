// component.unsupported: the makers of a component no longer mend the line of versions that the image holds, judged on
// the day of the examination against checks/support_ends.cc, which names the source of each date.
#include "checks/support_ends.h"
#include "checks/words.h"

#include <map>

namespace assay::checks::component_unsupported {
namespace {

constexpr uint32_t kCwe[] = {1104, 1329};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNSUPPORTED_COMPONENTS"};

std::string line_words(const SupportEnd& row) {
  if (!row.line.starts_with('<')) return "its line " + std::string(row.line) + " ended on " + std::string(row.ended);
  return "all lines before " + std::string(row.line.substr(1)) + " ended on " + std::string(row.ended) +
         " at the latest";
}

void run(const Input& input, Report& report) {
  std::map<std::pair<std::string, std::string>, std::vector<const Component*>> by_name;
  for (const Component& c : input.facts.components) by_name[{lower(c.name), c.version}].push_back(&c);
  for (const auto& [name, components] : by_name) {
    const Component& c = *components.front();
    const SupportEnd* row = support_end(c.name, c.version);
    if (row == nullptr || row->ended >= input.as_of) continue;
    std::vector<Evidence> at;
    for (const Component* one : components) at.push_back(one->at);
    report.state(Severity::kMedium, c.how == "version-string" ? Confidence::kLikely : Confidence::kCertain,
                 in_quotes(c.name) + " version " + in_quotes(c.version) + " (" + c.how + ", " + place(c.at) +
                     ") is no longer mended by its makers: " + line_words(*row) + ", before " + input.as_of + " (" +
                     std::string(kSupportEndsSource) + ")",
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kComponentUnsupported;
const Check kComponentUnsupported = {
    .id = "component.unsupported",
    .version = 1,
    .title = "Component whose makers no longer support it",
    .means = "A component's line of versions had reached the end of its makers' support on the day of the examination.",
    .misses = "Components without a row in the table; it holds a dozen products, and absence there proves nothing.",
    .mistakes = "Vendors and distributions that mend an old line themselves; a version text left from another program.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::component_unsupported
