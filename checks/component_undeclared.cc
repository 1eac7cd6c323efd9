// component.undeclared: software found in the image minus the software the vendor declares must be empty.
#include "checks/words.h"

#include <algorithm>
#include <map>

namespace assay::checks::component_undeclared {
namespace {

constexpr uint32_t kCwe[] = {1104, 912};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_SOFTWARE"};

// Packages add their own release to the version of what they hold ("1.36.1-6"); the declared version covers it.
bool same_version(const std::string& declared, const Component& c) {
  if (declared.empty() || declared == c.version) return true;
  return c.how != "version-string" && c.version.starts_with(declared + "-");
}

// "" : declared; else why not.
std::string missing(const Declaration& declaration, const Component& c) {
  std::string versions;
  for (const Declared& d : declaration.software) {
    if (lower(d.name) != lower(c.name)) continue;
    if (same_version(d.version, c)) return "";
    versions += (versions.empty() ? "" : ", ") + in_quotes(d.version);
  }
  return versions.empty() ? "the declaration names no such software"
                          : "the declaration names it in version " + versions + " only";
}

void run(const Input& input, Report& report) {
  if (input.declaration == nullptr || !input.declaration->has_software) return;
  std::map<std::pair<std::string, std::string>, std::vector<const Component*>> by_name;
  for (const Component& c : input.facts.components) by_name[{lower(c.name), c.version}].push_back(&c);
  for (const auto& [name, components] : by_name) {
    const Component& c = *components.front();
    const std::string why = missing(*input.declaration, c);
    if (why.empty()) continue;
    std::vector<Evidence> at;
    for (const Component* one : components) at.push_back(one->at);
    report.state(Severity::kLow, c.how == "version-string" ? Confidence::kLikely : Confidence::kCertain,
                 "The image holds " + in_quotes(c.name) +
                     (c.version.empty() ? "" : " version " + in_quotes(c.version)) + " (" + c.how + ", " + place(c.at) +
                     "); " + why,
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kComponentUndeclared;
const Check kComponentUndeclared = {
    .id = "component.undeclared",
    .version = 1,
    .title = "Undeclared software",
    .means = "A component of the image is not among the software that the vendor declares.",
    .misses = "Components that carry no version text and stand in no package list.",
    .mistakes = "One component under two names; a version text of another program that mentions it.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::component_undeclared
