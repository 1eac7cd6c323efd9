// Reads nmap's XML: see outside.h. Elements and attributes: nmap/nmap, docs/nmap.dtd.
#include "certify/outside.h"
#include "certify/xml.h"
#include "core/text.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace assay::certify {
namespace {

using xml::Attributes;

std::string get(const Attributes& attributes, const char* name) {
  const auto at = attributes.find(name);
  return at == attributes.end() ? "" : at->second;
}

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

struct Scan {
  std::map<std::string, std::string> asked;  // by protocol: the ports, as "1-65535"
  std::string host, protocol, state, service, exit;
  uint64_t port = 0;
  bool in_port = false, is_nmap = false;
  std::string extra_state;  // of the ports that are counted together and not listed (extraports)
  uint64_t extra_count = 0;
  std::set<std::string> extra_of;  // their protocols, where it says them (extrareasons)
  std::string host_status;
  std::set<std::string> answered, answered_of_host;  // protocols: a port said that it is open or closed
  std::map<std::string, std::string> why;            // by protocol: a host of which too little was seen
  std::map<std::string, std::vector<std::map<std::string, std::string>>> ports;  // by protocol
};

// By a port, or by the name of a service all of whose ports are declared.
std::string declared(const checks::Declaration* d, const Scan& scan) {
  if (d == nullptr || !d->has_services) return "unknown";
  const auto covers = [&](const checks::Declared& one) {
    if (!one.protocol.empty() && one.protocol != scan.protocol) return false;
    return one.port == scan.port || (one.port == 0 && !one.name.empty() && one.name == scan.service);
  };
  return std::ranges::any_of(d->services, covers) || std::ranges::any_of(d->ports, covers) ? "yes" : "no";
}

// Whatever does not say that no program listens there: open, open|filtered, unfiltered.
bool may_be_open(const std::string& state) {
  return state != "closed" && state != "filtered" && state != "closed|filtered";
}

void end_port(Scan& scan, const checks::Declaration* declaration) {
  scan.in_port = false;
  if (scan.state == "open" || scan.state == "closed") scan.answered_of_host.insert(scan.protocol);
  if (!may_be_open(scan.state)) return;
  scan.ports[scan.protocol].push_back({{"host", scan.host},
                                       {"protocol", scan.protocol},
                                       {"port", std::to_string(scan.port)},
                                       {"state", scan.state == "open" ? "open" : "unknown"},
                                       {"service", scan.service},
                                       {"declared", declared(declaration, scan)}});
}

// Ports that are only counted. Where several protocols were asked for and it does not say which, they answer for none.
void end_extra_ports(Scan& scan) {
  if (scan.extra_of.empty() && scan.asked.size() == 1) scan.extra_of.insert(scan.asked.begin()->first);
  if (scan.extra_count > 0 && scan.extra_state == "closed") scan.answered_of_host.merge(scan.extra_of);
  if (scan.extra_count == 0 || !may_be_open(scan.extra_state)) return;
  for (const auto& [protocol, ports] : scan.asked)
    if (scan.extra_of.empty() || scan.extra_of.contains(protocol))
      scan.why[protocol] = std::to_string(scan.extra_count) + " ports of " + scan.host + " that it does not list are " +
                           scan.extra_state.substr(0, 100);
}

void begin_host(Scan& scan, const Attributes& a) {
  scan.host.clear();
  scan.host_status.clear();
  scan.answered_of_host.clear();
  if (scan.asked.empty()) scan.why["tcp"] = scan.why["udp"] = "a host stands before what was asked for (scaninfo)";
  if (get(a, "timedout") != "true") return;
  for (const auto& [protocol, ports] : scan.asked) scan.why[protocol] = "a host timed out";
}

void end_host(Scan& scan) {
  if (scan.host_status != "down")
    for (const auto& [protocol, ports] : scan.asked)
      if (!scan.answered_of_host.contains(protocol) && scan.why[protocol].empty())
        scan.why[protocol] = "no port of " + scan.host + " answered, open or closed";
  scan.answered.merge(scan.answered_of_host);
}

void end_element(Scan& scan, const std::string& name, const checks::Declaration* declaration) {
  if (name == "port")
    end_port(scan, declaration);
  else if (name == "extraports")
    end_extra_ports(scan);
  else if (name == "host")
    end_host(scan);
}

void open_element(Scan& scan, Outside& out, const std::string& name, const Attributes& a) {
  if (name == "nmaprun") {
    scan.is_nmap = get(a, "scanner") == "nmap";
    out.producer = "nmap " + get(a, "version");
    out.settings = get(a, "args");
  } else if (name == "scaninfo") {
    scan.asked[get(a, "protocol")] = get(a, "services");
  } else if (name == "host") {
    begin_host(scan, a);
  } else if (name == "status") {
    scan.host_status = get(a, "state");
  } else if (name == "extraports") {
    scan.extra_state = get(a, "state");
    scan.extra_count = number(get(a, "count"));
    scan.extra_of.clear();
  } else if (name == "extrareasons" && !get(a, "proto").empty()) {
    scan.extra_of.insert(get(a, "proto"));
  } else if (name == "address" && scan.host.empty()) {
    scan.host = get(a, "addr");
  } else if (name == "port") {
    scan.protocol = get(a, "protocol");
    scan.port = number(get(a, "portid"));
    scan.state = scan.service = "";
    scan.in_port = true;
  } else if (name == "state" && scan.in_port) {
    scan.state = get(a, "state");
  } else if (name == "service" && scan.in_port) {
    scan.service = get(a, "name");
  } else if (name == "finished") {
    scan.exit = get(a, "exit");
  }
}

std::string why_not_complete(const Scan& scan, const std::string& protocol) {
  if (scan.exit != "success") return "the scan does not say that it ended successfully";
  if (const auto why = scan.why.find(protocol); why != scan.why.end() && !why->second.empty()) return why->second;
  if (!scan.answered.contains(protocol)) return "no port answered, open or closed: no host was seen up";
  const std::string& ports = scan.asked.at(protocol);
  return ports == "1-65535" || ports == "0-65535" ? "" : "only ports " + ports.substr(0, 100) + " were asked for";
}

}  // namespace

Result<Outside> read_nmap(std::string_view text, const checks::Declaration* declaration) {
  Outside out{.kind = "nmap"};
  Scan scan;
  TRY_VOID(xml::read(text, {[&](const std::string& name, const Attributes& a) { open_element(scan, out, name, a); },
                            [&](const std::string& name) { end_element(scan, name, declaration); }}));
  if (!scan.is_nmap) return fail(Fault::kMalformed, "nmap: the root element is no nmaprun of the scanner nmap");
  for (const char* protocol : {"tcp", "udp"}) {
    if (!scan.asked.contains(protocol)) continue;
    Collection& to = out.collections[std::string("observed_ports.") + protocol];
    to.why = why_not_complete(scan, protocol);
    to.complete = to.why.empty();
    for (auto& fields : scan.ports[protocol]) to.records.push_back(make_record(std::move(fields)));
  }
  if (out.collections.empty()) return fail(Fault::kMalformed, "nmap: no scaninfo of tcp or udp: no ports were scanned");
  return out;
}

}  // namespace assay::certify
