// outbound.undeclared: a host or address that stands in the image and is not among the declared communications
// (as in RFC 8520). A name in a file is not yet a connection; so the confidence is low and addresses that lead nowhere
// outside (loopback, private, multicast, documentation: RFC 6890) are left out, as are names that identify XML schemas.
#include "checks/words.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace assay::checks {
namespace {

constexpr uint32_t kCwe[] = {912, 1242};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNUSED_FUNCTIONS"};
constexpr std::string_view kSchemas[] = {"www.w3.org",       "w3.org",         "schemas.xmlsoap.org",
                                         "schemas.upnp.org", "xml.apache.org", "www.broadband-forum.org",
                                         "ns.adobe.com",     "localhost"};

// The first two bytes of a dotted address; false: not one.
bool first_bytes(const std::string& host, unsigned& first, unsigned& second) {
  const char* end = host.data() + host.size();
  const auto one = std::from_chars(host.data(), end, first);
  if (one.ec != std::errc() || one.ptr == end || *one.ptr != '.') return false;
  return std::from_chars(one.ptr + 1, end, second).ec == std::errc();
}

bool leads_outside(const Outbound& o) {
  if (o.kind == "email" || o.host.empty()) return false;
  const std::string host = lower(o.host);
  if (is_one_of(host, kSchemas) || host.ends_with(".local") || host.ends_with(".lan")) return false;
  if (o.kind == "ipv6" || host.find(':') != std::string::npos)
    return host.starts_with('2') && !host.starts_with("2001:db8");  // 2000::/3 is what is routed
  unsigned a = 0, b = 0;
  if (host.find_first_not_of("0123456789.") != std::string::npos || !first_bytes(host, a, b)) return true;
  const bool inside = a == 0 || a == 10 || a == 127 || a >= 224 || (a == 172 && b >= 16 && b <= 31) ||
                      (a == 192 && b == 168) || (a == 169 && b == 254) || (a == 192 && b == 0) ||
                      (a == 198 && b == 51) || (a == 203 && b == 0);
  return !inside;
}

bool names(const Declared& declared, const Outbound& o) {
  if (declared.port != 0 && o.port != 0 && declared.port != o.port) return false;
  const std::string pattern = lower(declared.name), host = lower(o.host);
  if (pattern.starts_with("*.")) return host.ends_with(std::string_view(pattern).substr(1));
  return pattern == host;
}

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
                 quoted(host) + " stands in " + place(at.front()) + " as " + quoted(uses.front()->value) +
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

}  // namespace assay::checks
