// See undeclared.h.
#include "checks/undeclared.h"

#include "checks/words.h"

#include <charconv>

namespace assay::checks {
namespace {

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

}  // namespace

bool can_be_used(const Account& a) { return a.can_log_in && a.hash_kind != "locked" && a.hash_kind != "none"; }

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

}  // namespace assay::checks
