// firewall.wan_management: a rule accepts packets from the wide area network to a port of remote management.
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::firewall_wan_management {
namespace {

constexpr uint32_t kCwe[] = {1327, 668};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_RESTRICTED_REACHABILITY_OF_SERVICES",
                                              "TS 33.117 TC_PACKET_FILTERING"};

struct Port {
  std::string_view number, words;
};
constexpr Port kManagement[] = {
    {"21", "FTP"},    {"22", "SSH"},      {"23", "telnet"},   {"69", "TFTP"},   {"80", "HTTP"},       {"161", "SNMP"},
    {"443", "HTTPS"}, {"2323", "telnet"}, {"7547", "TR-069"}, {"8080", "HTTP"}, {"8443", "HTTPS"},    {"ftp", "FTP"},
    {"http", "HTTP"}, {"https", "HTTPS"}, {"snmp", "SNMP"},   {"ssh", "SSH"},   {"telnet", "telnet"}, {"tftp", "TFTP"}};

// Words of the interface that say where it leads: the customary names of uplinks, no maker's.
bool is_wan(std::string_view interface) {
  const std::string name = lower(interface);
  return name.find("wan") != std::string::npos || name.find("internet") != std::string::npos ||
         name.starts_with("ppp") || name.find("uplink") != std::string::npos;
}

std::string_view managed_by(const FirewallRule& r) {
  std::string ports = r.port;
  for (char& c : ports)
    if (c == ',' || c == ' ' || c == '{' || c == '}') c = ' ';
  for (const std::string_view port : words(ports))
    for (const Port& known : kManagement)
      if (port == known.number) return known.words;
  return {};
}

// From some addresses only. UCI writes the zone first, then the address.
bool is_limited(const FirewallRule& r) {
  const auto parts = words(r.source);
  const size_t address = r.tool == "uci" ? 1 : 0;
  return parts.size() > address && parts[address] != "0.0.0.0/0" && parts[address] != "::/0";
}

void run(const Input& input, Report& report) {
  for (const FirewallRule& r : input.facts.firewall) {
    const bool uci = r.tool == "uci";
    if (uci && (r.table != "rule" || r.chain != "input")) continue;
    const std::string from = uci ? r.source : r.interface.empty() ? r.chain : r.interface;
    const std::string_view what = managed_by(r);
    if (lower(r.action) != "accept" || !is_wan(from) || what.empty()) continue;
    const bool limited = is_limited(r);
    report.state(limited            ? Severity::kLow
                 : what == "TR-069" ? Severity::kMedium
                                    : Severity::kHigh,
                 Confidence::kLikely,
                 "A rule in " + place(r.at) + " accepts packets from the wide area network (" + in_quotes(from) +
                     ") to port " + escape(r.port) + " (" + std::string(what) + ")" +
                     (limited ? ", from " + in_quotes(r.source) + " only" : "") + ": " + in_quotes(r.rule),
                 r.at);
  }
}

}  // namespace

extern const Check kFirewallWanManagement;
const Check kFirewallWanManagement = {
    .id = "firewall.wan_management",
    .version = 1,
    .title = "Management port open to the wide area network",
    .means = "A firewall rule lets packets from the uplink reach a port of remote management.",
    .misses = "Uplinks whose interface is not named as one, redirections, and rules made when the device runs.",
    .mistakes = "Rules in a branch of a script that only runs after the user has allowed remote management.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::firewall_wan_management
