// outbound.undeclared: a host or address that stands in the image and is not among the declared communications
// (as in RFC 8520). A name in a file is not yet a connection; so the confidence is low.
#include "checks/undeclared.h"
#include "checks/words.h"

#include <algorithm>
#include <map>

namespace assay::checks::outbound_undeclared {
namespace {

constexpr uint32_t kCwe[] = {912, 1242};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_FUNCTIONS"};

void run(const Input& input, Report& report) {
  if (input.declaration == nullptr || !input.declaration->has_communications) return;
  const auto& declared = input.declaration->communications;
  std::map<std::string, std::vector<const Outbound*>> hosts;
  for (const Outbound& o : input.facts.outbound)
    if (leads_outside(o) && std::ranges::none_of(declared, [&](const Declared& d) { return names(d, o); }))
      hosts[lower(o.host)].push_back(&o);
  for (const auto& [host, uses] : hosts) {
    std::vector<Evidence> at;
    for (const Outbound* o : uses) at.push_back(o->at);
    report.state(Severity::kLow, Confidence::kPossible,
                 in_quotes(host) + " stands in " + place(at.front()) + " as " + in_quotes(uses.front()->value) +
                     (at.size() > 1 ? " and in " + plural(at.size() - 1, "more place", "more places") : "") +
                     "; the declared communications do not name it",
                 at.front(), some(at));
  }
}

}  // namespace

extern const Check kOutboundUndeclared;
const Check kOutboundUndeclared = {
    .id = "outbound.undeclared",
    .version = 1,
    .title = "Host that the declaration does not name",
    .means = "A host name or public address stands in the image and is missing from the declared communications.",
    .misses = "Names put together or received when the device runs; names of XML schemas are left out.",
    .mistakes = "Links in web pages and manuals, examples, and names that no code contacts.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::outbound_undeclared
