// Reads MUD files: see mud.h.
#include "checks/mud.h"
#include "core/json_parse.h"
#include "core/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace assay::checks {
namespace {

using Json = nlohmann::json;

constexpr size_t kLargestMud = 1 << 20;
constexpr uint64_t kWidestRange = 64;  // ports of one range that are written one by one

std::unexpected<Error> malformed(const std::string& where, const std::string& what) {
  return fail(Fault::kMalformed, "mud: " + where + ": " + what);
}

const Json* member(const Json& of, const std::string& name) {
  const auto at = of.is_object() ? of.find(name) : of.end();
  return at == of.end() ? nullptr : &*at;
}

// RFC 7951: the module's name stands before a member where the module changes; some writers repeat it.
const Json* member(const Json& of, const std::string& module, const std::string& name) {
  const Json* bare = member(of, name);
  return bare != nullptr ? bare : member(of, module + ":" + name);
}

// Which side of a packet the other end stands on.
struct Side {
  const char* policy;
  std::string remote, local;
};
const Side kFrom = {"from-device-policy", "destination", "source"};
const Side kTo = {"to-device-policy", "source", "destination"};

// One access control entry as far as it can be declared; `why` says what cannot.
struct Entry {
  Declared declared;
  std::vector<uint16_t> ports;
  std::string why;

  // All that an entry matches must hold at once; a communication has one host and one protocol.
  void set_host(std::string name) {
    if (!declared.name.empty()) why = "names more than one host";
    declared.name = std::move(name);
  }
  void set_protocol(const std::string& protocol) {
    if (!declared.protocol.empty() && declared.protocol != protocol)
      why = "matches protocol " + declared.protocol + " and protocol " + protocol;
    declared.protocol = protocol;
  }
};

void read_network(Entry& out, const Json& value, size_t full) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const size_t slash = text.find('/');
  if (slash == std::string::npos || text.substr(slash + 1) != std::to_string(full))
    out.why = "network \"" + text + "\" is more than one address";
  else
    out.set_host(text.substr(0, slash));
}

void read_ip(Entry& out, const Json& ip, const Side& side, bool four) {
  const std::map<uint64_t, const char*> kProtocols = {
      {1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "icmp"}, {132, "sctp"}};
  const std::string dns = "ietf-acldns:" + std::string(side.remote == "source" ? "src" : "dst") + "-dnsname";
  for (const auto& [key, value] : ip.items()) {
    if (key == dns && value.is_string())
      out.set_host(value.get<std::string>());
    else if (key == side.remote + (four ? "-ipv4-network" : "-ipv6-network"))
      read_network(out, value, four ? 32 : 128);
    else if (key == "protocol" && value.is_number_unsigned() && kProtocols.contains(value.get<uint64_t>()))
      out.set_protocol(kProtocols.at(value.get<uint64_t>()));
    else
      out.why = "matches " + key;
  }
}

void read_port(Entry& out, const Json& port) {
  const auto number = [&](const char* name) -> uint64_t {
    const Json* value = member(port, name);
    return value != nullptr && value->is_number_unsigned() ? value->get<uint64_t>() : 0;
  };
  const Json* op = member(port, "operator");
  uint64_t low = number("lower-port"), high = number("upper-port");
  if (op == nullptr || *op == "eq")
    if (const uint64_t one = number("port"); one != 0) low = high = one;
  if (high == 0) high = low;
  if (low == 0 || high > 65535 || low > high)
    out.why = "ports " + json_text(port) + " are no list of numbers";
  else if (high - low >= kWidestRange)
    out.why = "ports " + std::to_string(low) + " to " + std::to_string(high) + " are more than can be listed";
  else
    for (uint64_t p = low; p <= high; ++p) out.ports.push_back(static_cast<uint16_t>(p));
}

void read_transport(Entry& out, const std::string& protocol, const Json& transport, const Side& side) {
  out.set_protocol(protocol);
  for (const auto& [key, value] : transport.items())
    if (key == side.remote + "-port")
      read_port(out, value);
    else if (key == side.local + "-port")
      out.why = "names a port of the product itself, which is a service";
    else if (key == "ietf-mud:direction-initiated" && value == "from-device")
      continue;  // what a communication is: the product begins it
    else if (key == "ietf-mud:direction-initiated")
      out.why = "is begun by the other end, or by whom is not said: direction-initiated is not from-device";
    else
      out.why = "matches " + key + " of " + protocol;
}

Entry read_matches(const Json& matches, const Side& side) {
  Entry out;
  if (!matches.is_object()) return {.why = "matches everything"};
  for (const auto& [key, value] : matches.items()) {
    if (key == "ipv4" || key == "ipv6")
      read_ip(out, value, side, key == "ipv4");
    else if (key == "tcp" || key == "udp")
      read_transport(out, key, value, side);
    else if (key == "icmp" && value.is_object() && value.empty())
      out.set_protocol(key);
    else
      out.why = "matches " + key;
  }
  if (out.why.empty() && out.declared.name.empty()) out.why = "names no host";
  if (out.why.empty() && out.declared.name.size() > 255) out.why = "names a host of more than 255 bytes";
  return out;
}

using Found = std::set<std::tuple<std::string, std::string, uint16_t>>;

// `refused`: an entry before does not accept, and what it matches is not accepted by this one either.
void read_entry(MudFile& out, Found& found, const Json& ace, const Side& side, const std::string& where,
                bool& refused) {
  const Json* name = member(ace, "name");
  const std::string label =
      where + " " + (name != nullptr && name->is_string() ? "\"" + name->get<std::string>() + "\"" : "without a name");
  const Json* actions = member(ace, "actions");
  const Json* forwarding = actions == nullptr ? nullptr : member(*actions, "forwarding");
  const std::string action = forwarding != nullptr && forwarding->is_string() ? forwarding->get<std::string>() : "";
  if (action != "accept" && action != "ietf-access-control-list:accept") {
    out.left_out.push_back(label + ": does not accept");
    refused = true;
    return;
  }
  const Json* matches = member(ace, "matches");
  Entry entry = read_matches(matches == nullptr ? Json() : *matches, side);
  if (entry.why.empty() && refused) entry.why = "stands behind an entry that does not accept, which may take from it";
  if (!entry.why.empty()) {
    out.left_out.push_back(label + ": " + entry.why);
    return;
  }
  if (entry.ports.empty()) entry.ports.push_back(0);
  for (const uint16_t port : entry.ports) found.emplace(entry.declared.name, entry.declared.protocol, port);
}

Result<void> read_policy(MudFile& out, Found& found, const Json& mud, const Json& lists, const Side& side) {
  const Json* policy = member(mud, side.policy);
  if (policy == nullptr) return {};
  const Json* holder = member(*policy, "access-lists");
  const Json* names = holder == nullptr ? nullptr : member(*holder, "access-list");
  if (names == nullptr || !names->is_array()) return malformed(side.policy, "has no access-lists/access-list");
  bool refused = false;
  for (const Json& one : *names) {
    const Json* name = member(one, "name");
    const auto list = std::ranges::find_if(lists, [&](const Json& l) {
      const Json* its = member(l, "name");
      return name != nullptr && its != nullptr && *its == *name;
    });
    if (name == nullptr || !name->is_string() || list == lists.end())
      return malformed(side.policy, "names an access list that is not there");
    const Json* holder_of_entries = member(*list, "aces");
    const Json* entries = holder_of_entries == nullptr ? nullptr : member(*holder_of_entries, "ace");
    const std::string where = "acl \"" + name->get<std::string>() + "\"";
    if (entries == nullptr || !entries->is_array()) return malformed(where, "has no aces/ace");
    for (const Json& ace : *entries) read_entry(out, found, ace, side, where, refused);
  }
  return {};
}

std::string text_of(const Json& mud, const char* name) {
  const Json* value = member(mud, name);
  return value != nullptr && value->is_string() && value->get_ref<const std::string&>().size() <= 255
             ? value->get<std::string>()
             : "";
}

Result<void> read_head(MudFile& out, const Json& mud) {
  const Json* version = member(mud, "mud-version");
  if (version == nullptr || *version != 1) return malformed("ietf-mud:mud/mud-version", "must be 1");
  out.names.mud_url = text_of(mud, "mud-url");
  if (out.names.mud_url.empty()) return malformed("ietf-mud:mud/mud-url", "is missing, or longer than 255 bytes");
  out.names.vendor = text_of(mud, "mfg-name");
  out.names.model = text_of(mud, "model-name");
  out.names.release = text_of(mud, "firmware-rev");
  return {};
}

}  // namespace

Result<MudFile> read_mud(std::string_view text) {
  if (text.size() > kLargestMud) return fail(Fault::kLimit, "mud: longer than 1 MiB");
  const Json json = TRY(parse_json(text, "mud"));
  const Json* mud = member(json, "ietf-mud:mud");
  if (mud == nullptr) return malformed("ietf-mud:mud", "is missing: this is no MUD file");
  MudFile out;
  TRY_VOID(read_head(out, *mud));
  const Json* acls = member(json, "ietf-access-control-list", "acls");
  const Json* lists = acls == nullptr ? nullptr : member(*acls, "acl");
  if (lists == nullptr || !lists->is_array())
    return malformed("ietf-access-control-list:acls/acl", "is missing, or no list");
  Found found;
  TRY_VOID(read_policy(out, found, *mud, *lists, kFrom));
  TRY_VOID(read_policy(out, found, *mud, *lists, kTo));
  for (const auto& [name, protocol, port] : found)
    out.communications.push_back({.name = name, .protocol = protocol, .port = port});
  return out;
}

}  // namespace assay::checks
