// service.undeclared: the image starts a network service that the vendor's declaration does not name.
//
// The case behind it: home gateways whose telnet service, left in for diagnostics, was reported closed and was found
// again. Whether such a service is malice or leftover cannot be read from the bytes, so this check does not say; it
// says the service is there, who starts it, and what guards it. Without a declaration nothing is undeclared.
#include "checks/services.h"
#include "checks/words.h"

namespace assay::checks::service_undeclared {
namespace {

constexpr uint32_t kCwe[] = {912, 1242};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE", "TS 33.117 TC_BVT_PORT_SCANNING"};

Severity severity_of(const Service& s) {
  if (!s.gives_shell) return s.port_source == "code" ? Severity::kLow : Severity::kMedium;
  return s.asks_for_secret == Known::kNo ? Severity::kCritical : Severity::kHigh;
}

// A port read out of code may be a local socket's: that the program listens is then an ability, not an observation.
Confidence confidence_of(const Service& s) {
  if (s.port_source == "code") return Confidence::kPossible;
  return s.conditional ? Confidence::kLikely : Confidence::kCertain;
}

std::string guard_of(const Service& s) {
  if (s.asks_for_secret == Known::kYes) return "; it asks for a login, password or key";
  return s.asks_for_secret == Known::kNo ? "; it asks for no secret" : "; what guards it was not determined";
}

void run(const Input& input, Report& report) {
  if (input.declaration == nullptr || !input.declaration->has_services) return;
  for (const Service& s : input.facts.services) {
    if (!s.started || declares_name(*input.declaration, s)) continue;
    if (s.port != 0 && declares_port(*input.declaration, s)) continue;
    report.state(severity_of(s), confidence_of(s), describe(s) + guard_of(s) + "; the declaration does not name it",
                 s.at, s.more);
  }
}

}  // namespace

extern const Check kServiceUndeclared;
const Check kServiceUndeclared = {
    .id = "service.undeclared",
    .version = 1,
    .title = "Undeclared network service",
    .means = "A program that the image starts opens a service missing from the declaration.",
    .misses = "Services that only start after a network packet or a key press.",
    .mistakes = "Services a setting or a build option turned off; programs that only use local sockets.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_undeclared
