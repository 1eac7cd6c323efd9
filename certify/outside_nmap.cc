// Reads nmap's XML: see outside.h. Elements and attributes: nmap/nmap, docs/nmap.dtd.
#include "certify/outside.h"
#include "certify/xml.h"
#include "core/text.h"

#include <algorithm>
#include <charconv>

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

void end_port(Scan& scan, const checks::Declaration* declaration) {
  scan.in_port = false;
  if (scan.state != "open" && scan.state != "open|filtered") return;
  scan.ports[scan.protocol].push_back({{"host", scan.host},
                                       {"protocol", scan.protocol},
                                       {"port", std::to_string(scan.port)},
                                       {"state", scan.state == "open" ? "open" : "unknown"},
                                       {"service", scan.service},
                                       {"declared", declared(declaration, scan)}});
}

void open_element(Scan& scan, Outside& out, const std::string& name, const Attributes& a) {
  if (name == "nmaprun") {
    scan.is_nmap = get(a, "scanner") == "nmap";
    out.producer = "nmap " + get(a, "version");
    out.settings = get(a, "args");
  } else if (name == "scaninfo") {
    scan.asked[get(a, "protocol")] = get(a, "services");
  } else if (name == "host") {
    scan.host.clear();
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
  const std::string& ports = scan.asked.at(protocol);
  return ports == "1-65535" || ports == "0-65535" ? "" : "only ports " + ports.substr(0, 100) + " were asked for";
}

}  // namespace

Result<Outside> read_nmap(std::string_view text, const checks::Declaration* declaration) {
  Outside out{.kind = "nmap"};
  Scan scan;
  TRY_VOID(xml::read(text, {[&](const std::string& name, const Attributes& a) { open_element(scan, out, name, a); },
                            [&](const std::string& name) {
                              if (name == "port") end_port(scan, declaration);
                            }}));
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
