// firewall.accept_all: a rule or a default lets every packet for the device itself in (iptables(8): chain INPUT;
// nft(8): a chain named input; UCI: a zone of the uplink, or the defaults where no zone says otherwise).
#include "checks/words.h"

namespace assay::checks::firewall_accept_all {
namespace {

constexpr uint32_t kCwe[] = {1327, 284};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PACKET_FILTERING",
                                              "TS 33.117 TC_RESTRICTED_REACHABILITY_OF_SERVICES"};

bool is_input(const FirewallRule& r) {
  const bool table = r.tool == "nft" || r.table.empty() || r.table == "filter";
  return lower(r.chain) == "input" && (table || r.tool == "uci");
}
bool accepts(const FirewallRule& r) { return lower(r.action) == "accept"; }
bool is_wan(std::string_view zone) { return lower(zone).find("wan") != std::string::npos; }

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

// Sections of UCI: a zone that leads out and accepts everything; defaults that accept, where no zone refuses.
void judge_uci(const Facts& facts, const FirewallRule& r, Report& report) {
  const bool zone = r.table == "zone" && is_wan(r.source);
  if (!zone && r.table != "defaults") return;
  if (!zone)
    for (const FirewallRule& other : facts.firewall)
      if (other.tool == "uci" && other.table == "zone" && is_input(other) && other.at.artifact == r.at.artifact) return;
  report.state(zone ? Severity::kMedium : Severity::kLow, Confidence::kLikely,
               (zone ? "The firewall zone " + in_quotes(r.source) + " accepts every packet to the device, in "
                     : std::string("The firewall's defaults accept every packet to the device, in ")) +
                   place(r.at),
               r.at);
}

void judge_rule(const Facts& facts, const FirewallRule& r, Report& report) {
  if (!is_unconditional(r)) return;
  const bool policy = is_policy(r);
  if (policy && is_closed_later(facts, r)) return;
  report.state(policy ? Severity::kLow : Severity::kMedium, policy ? Confidence::kPossible : Confidence::kLikely,
               (policy ? "The default of the chain for packets to the device is to accept them, in "
                       : "A rule accepts every packet to the device, in ") +
                   place(r.at) + ": " + in_quotes(r.rule),
               r.at);
}

void run(const Input& input, Report& report) {
  for (const FirewallRule& r : input.facts.firewall) {
    if (!is_input(r) || !accepts(r)) continue;
    if (r.tool == "uci")
      judge_uci(input.facts, r, report);
    else
      judge_rule(input.facts, r, report);
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

}  // namespace assay::checks::firewall_accept_all
