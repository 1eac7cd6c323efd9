// service.port_undeclared: the declaration knows the service, but not the port at which it was found.
#include "checks/services.h"
#include "checks/words.h"
#include "core/text.h"

#include <algorithm>

namespace assay::checks::service_port_undeclared {
namespace {

constexpr uint32_t kCwe[] = {912, 1327};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE", "TS 33.117 TC_BVT_PORT_SCANNING"};

void run(const Input& input, Report& report) {
  if (input.declaration == nullptr || !input.declaration->has_services) return;
  const Declaration& d = *input.declaration;
  for (const Service& s : input.facts.services) {
    if (!s.started || s.port == 0 || !declares_name(d, s)) continue;  // a name that is missing is service.undeclared
    if (declares_port(d, s)) continue;
    report.state(Severity::kMedium,
                 s.port_source == "default of the program" ? Confidence::kLikely : Confidence::kCertain,
                 describe(s) + "; the declaration names " + in_quotes(s.name) + ", but not at that port", s.at, s.more);
  }
}

}  // namespace

extern const Check kServicePortUndeclared;
const Check kServicePortUndeclared = {
    .id = "service.port_undeclared",
    .version = 1,
    .title = "Declared service on an undeclared port",
    .means = "A started service is declared, but at other ports than the one at which it listens.",
    .misses = "Ports that a program chooses when it runs.",
    .mistakes = "A port that was read from a default which a setting read when the device runs replaces.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_port_undeclared
