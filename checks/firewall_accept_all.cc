// firewall.accept_all: a rule or a default lets every packet for the device itself in (iptables(8): chain INPUT).
#include "checks/words.h"

namespace assay::checks {
namespace {

constexpr uint32_t kCwe[] = {1327, 284};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PACKET_FILTERING",
                                              "TS 33.117 TC_RESTRICTED_REACHABILITY_OF_SERVICES"};

bool is_input(const FirewallRule& r) { return lower(r.chain) == "input" && (r.table.empty() || r.table == "filter"); }
bool accepts(const FirewallRule& r) { return lower(r.action) == "accept"; }

bool is_policy(const FirewallRule& r) {
  return r.rule.find("-P ") != std::string::npos || r.rule.find("--policy") != std::string::npos ||
         r.rule.find("policy ") != std::string::npos;
}

// A rule without any condition; what is not read into fields still shows in the rule as written.
bool is_unconditional(const FirewallRule& r) {
  if (!r.protocol.empty() || !r.port.empty() || !r.source.empty() || !r.interface.empty()) return false;
  for (const std::string_view option : {" -m ", " -i ", " -p ", " -s ", " -d ", " --match ", " ct ", " iif", " ip "})
    if (r.rule.find(option) != std::string::npos) return false;
  return true;
}

// Scripts open the chain before they set it up; a later policy of the same file counts.
bool is_closed_later(const Facts& facts, const FirewallRule& open) {
  for (const FirewallRule& r : facts.firewall)
    if (is_input(r) && is_policy(r) && !accepts(r) && r.at.artifact == open.at.artifact && r.tool == open.tool)
      return true;
  return false;
}

void run(const Input& input, Report& report) {
  for (const FirewallRule& r : input.facts.firewall) {
    if (!is_input(r) || !accepts(r) || !is_unconditional(r)) continue;
    const bool policy = is_policy(r);
    if (policy && is_closed_later(input.facts, r)) continue;
    report.state(policy ? Severity::kLow : Severity::kMedium, policy ? Confidence::kPossible : Confidence::kLikely,
                 (policy ? "The default of the chain for packets to the device is to accept them, in "
                         : "A rule accepts every packet to the device, in ") +
                     place(r.at) + ": " + quoted(r.rule),
                 r.at);
  }
}

}  // namespace

extern const Check kFirewallAcceptAll;
const Check kFirewallAcceptAll = {
    .id = "firewall.accept_all",
    .version = 1,
    .title = "Firewall accepts every packet to the device",
    .means = "A rule without conditions, or the chain's default, accepts packets addressed to the device itself.",
    .misses = "Devices that set no rules at all, and rules that programs put together when they run.",
    .mistakes = "A default followed by rules that drop; a script that opens the firewall only for a moment.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks
