// Writes MUD files: see mud.h. Hosts stand in both an IPv4 and an IPv6 list, addresses in their own; each communication
// is allowed in both directions, as the example of RFC 8520 (section 9) has it.
#include "checks/mud.h"
#include "checks/words.h"
#include "core/json_text.h"

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

namespace assay::checks {
namespace {

using OrderedJson = nlohmann::ordered_json;

enum class Family : uint8_t { kFour, kSix };

bool is_address(const std::string& name, Family family) {
  unsigned char bytes[16];
  return inet_pton(family == Family::kFour ? AF_INET : AF_INET6, name.c_str(), bytes) == 1;
}

// inet:domain-name of RFC 6991, without its length rules for labels, which are checked here.
bool is_domain(const std::string& name) {
  size_t label = 0;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (c == '.' ? label == 0 : !letter && (c != '-' || label == 0)) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return !name.empty() && name.size() <= 253 && name.find("-.") == std::string::npos && !name.ends_with('-');
}

// "" : MUD has words for it.
std::string unsayable(const Declared& d) {
  if (d.name.starts_with("*.")) return "MUD knows no names with *";
  if (!is_domain(d.name) && !is_address(d.name, Family::kFour) && !is_address(d.name, Family::kSix))
    return "is neither a domain name nor an address";
  if (d.protocol == "raw" || d.protocol == "serial") return "MUD knows no protocol " + d.protocol;
  if (d.port != 0 && (d.protocol == "sctp" || d.protocol == "icmp")) return "MUD knows no ports of " + d.protocol;
  return "";
}

OrderedJson ip_of(const Declared& d, Family family, bool from, bool addressed) {
  OrderedJson out = OrderedJson::object();
  if (addressed)
    out[std::string(from ? "destination" : "source") + (family == Family::kFour ? "-ipv4-network" : "-ipv6-network")] =
        d.name + (family == Family::kFour ? "/32" : "/128");
  else
    out[std::string("ietf-acldns:") + (from ? "dst" : "src") + "-dnsname"] = d.name;
  if (d.protocol == "sctp") out["protocol"] = 132;
  if (d.protocol == "icmp") out["protocol"] = family == Family::kFour ? 1 : 58;
  return out;
}

OrderedJson ace_of(const Declared& d, const std::string& protocol, Family family, bool from, size_t number) {
  const bool addressed = is_address(d.name, family);
  OrderedJson matches = {{family == Family::kFour ? "ipv4" : "ipv6", ip_of(d, family, from, addressed)}};
  if (protocol == "tcp" || protocol == "udp") {
    OrderedJson transport = OrderedJson::object();
    if (d.port != 0) transport[from ? "destination-port" : "source-port"] = {{"operator", "eq"}, {"port", d.port}};
    if (protocol == "tcp") transport["ietf-mud:direction-initiated"] = "from-device";
    matches[protocol] = transport;
  }
  return {{"name", std::string(from ? "to-" : "from-") + std::to_string(number)},
          {"matches", matches},
          {"actions", {{"forwarding", "accept"}}}};
}

// A port without a protocol is declared for both that have ports.
std::vector<std::string> protocols_of(const Declared& d) {
  if (d.protocol.empty() && d.port != 0) return {"tcp", "udp"};
  return {d.protocol};
}

OrderedJson aces_of(const std::vector<Declared>& all, Family family, bool from) {
  OrderedJson out = OrderedJson::array();
  const Family other = family == Family::kFour ? Family::kSix : Family::kFour;
  for (const Declared& d : all)
    if (unsayable(d).empty() && !is_address(d.name, other))
      for (const std::string& protocol : protocols_of(d)) out.push_back(ace_of(d, protocol, family, from, out.size()));
  return out;
}

Result<OrderedJson> head_of(const Declaration& d, const std::string& as_of) {
  if (!d.names.mud_url.starts_with("https://"))
    return fail(Fault::kMalformed,
                "declaration: mud_url: a MUD file needs its own https address (RFC 8520, section 3)");
  if (d.support_until.empty())
    return fail(Fault::kMalformed, "declaration: support: a MUD file must say whether the product is supported");
  const bool supported = d.support_from <= as_of && as_of <= d.support_until;
  OrderedJson out = {{"mud-version", 1},
                     {"mud-url", d.names.mud_url},
                     {"last-update", as_of + "T00:00:00+00:00"},
                     {"cache-validity", 48},
                     {"is-supported", supported}};
  const std::pair<const char*, const std::string*> kNames[] = {{"systeminfo", &d.names.product},
                                                               {"mfg-name", &d.names.vendor},
                                                               {"model-name", &d.names.model},
                                                               {"firmware-rev", &d.names.release}};
  for (const auto& [key, text] : kNames)
    if (!text->empty()) out[key] = *text;
  return out;
}

}  // namespace

Result<MudText> write_mud(const Declaration& d, const std::string& as_of) {
  if (!d.has_communications) return fail(Fault::kMalformed, "declaration: communications: the section is missing");
  OrderedJson mud = TRY(head_of(d, as_of));
  MudText out;
  for (const Declared& one : d.communications)
    if (const std::string why = unsayable(one); !why.empty())
      out.left_out.push_back(checks::in_quotes(one.name) + ": " + why);
  OrderedJson lists = OrderedJson::array();
  for (const bool from : {true, false}) {
    OrderedJson named = OrderedJson::array();
    for (const Family family : {Family::kFour, Family::kSix}) {
      const std::string v = family == Family::kFour ? "v4" : "v6", name = (from ? "from-" : "to-") + v;
      named.push_back({{"name", name}});
      lists.push_back({{"name", name},
                       {"type", "ip" + v + "-acl-type"},
                       {"aces", {{"ace", aces_of(d.communications, family, from)}}}});
    }
    mud[from ? "from-device-policy" : "to-device-policy"] = {{"access-lists", {{"access-list", named}}}};
  }
  const OrderedJson all{{"ietf-mud:mud", mud}, {"ietf-access-control-list:acls", {{"acl", lists}}}};
  out.json = json_text(all, 1) + "\n";
  return out;
}

}  // namespace assay::checks
