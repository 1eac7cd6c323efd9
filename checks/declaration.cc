// Reads a vendor's declaration: what the product is said to hold. The schema, with a full example, is in
// docs/declaration.md and docs/declaration.schema.json; YAML 1.2 through yaml-cpp (checks/yaml.h).
#include "checks/check.h"
#include "checks/sections.h"
#include "checks/yaml.h"

#include <algorithm>

namespace assay::checks {
namespace {

using yaml::Document;
using Keys = std::vector<std::string_view>;

constexpr std::string_view kVersion = "1";
constexpr std::string_view kProtocols[] = {"tcp", "udp", "sctp", "icmp", "raw", "serial"};
constexpr std::string_view kCredentials[] = {"none", "per-device", "set-at-first-login", "fixed"};
constexpr std::string_view kGuards[] = {"none", "password", "key", "physical"};

const Document kDocument("declaration");

Result<std::string> fingerprint(const YAML::Node& node, const std::string& where) {
  std::string written = TRY(kDocument.text(node, where));
  if (written.size() != 64 || written.find_first_not_of("0123456789abcdef") != std::string::npos)
    return kDocument.complain(node.Mark(), where, "must be a SHA-256 digest: 64 digits 0-9 a-f");
  return written;
}

Result<void> read_field(Declared& into, const std::string& key, const YAML::Node& value, const std::string& where) {
  const std::pair<std::string_view, std::string Declared::*> kTexts[] = {
      {"name", &Declared::name},       {"version", &Declared::version},     {"purpose", &Declared::purpose},
      {"program", &Declared::program}, {"algorithm", &Declared::algorithm},
  };
  for (const auto& [name, member] : kTexts)
    if (key == name) into.*member = TRY(kDocument.text(value, where));
  if (key == "protocol") into.protocol = TRY(kDocument.one_of(value, where, kProtocols));
  if (key == "credential") into.credential = TRY(kDocument.one_of(value, where, kCredentials));
  if (key == "guard") into.guard = TRY(kDocument.one_of(value, where, kGuards));
  if (key == "port") into.port = static_cast<uint16_t>(TRY(kDocument.number(value, where, 1, 65535)));
  if (key == "interfaces") into.interfaces = TRY(kDocument.texts(value, where));
  if (key == "fingerprint") into.fingerprint = TRY(fingerprint(value, where));
  if (key == "until") into.until = TRY(kDocument.date(value, where));
  return {};
}

Result<void> read_section(Declaration& into, const Section& section, const YAML::Node& node) {
  const std::string name(section.name);
  if (!node.IsSequence())
    return kDocument.complain(node.Mark(), name,
                              "must be a list; write \"" + name + ": []\" to declare that there are none");
  if (node.size() > kMostEntries) return kDocument.complain(node.Mark(), name, "has more than 10000 entries");
  for (const YAML::Node& entry : node) {
    Declared& declared = (into.*section.entries).emplace_back();
    const std::string where = name + "[" + std::to_string((into.*section.entries).size() - 1) + "]";
    TRY_VOID(kDocument.mapping(entry, where, section.keys, section.required,
                               [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) {
                                 return read_field(declared, key, value, where + "." + key);
                               }));
  }
  into.*section.present = true;
  return {};
}

Result<void> read_version(const YAML::Node& node) {
  const std::string version = TRY(kDocument.text(node, "declaration"));
  if (version != kVersion)
    return kDocument.complain(node.Mark(), "declaration", "version \"" + version + "\" is not read, only 1");
  return {};
}

Result<void> read_support(Declaration& into, const YAML::Node& node) {
  static constexpr std::string_view kKeys[] = {"from", "until"};
  TRY_VOID(kDocument.mapping(node, "support", kKeys, std::span(kKeys).last(1),
                             [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
                               (key == "from" ? into.support_from : into.support_until) =
                                   TRY(kDocument.date(value, "support." + key));
                               return {};
                             }));
  if (!into.support_from.empty() && into.support_from > into.support_until)
    return kDocument.complain(node.Mark(), "support", "ends before it begins");
  return {};
}

Result<void> read_top(Declaration& into, const std::string& key, const YAML::Node& value) {
  ProductNames& names = into.names;
  const std::pair<std::string_view, std::string*> kNames[] = {
      {"vendor", &names.vendor},   {"product", &names.product},     {"model", &names.model},
      {"release", &names.release}, {"unique_id", &names.unique_id}, {"mud_url", &names.mud_url},
  };
  if (key == "declaration") return read_version(value);
  for (const auto& [name, member] : kNames)
    if (key == name) {
      *member = TRY(kDocument.text(value, key));
      return {};
    }
  if (key == "class") {
    into.network_class = TRY(kDocument.one_of(value, key, network_classes()));
    return {};
  }
  if (key == "support") return read_support(into, value);
  for (const Section& section : sections())
    if (section.name == key) return read_section(into, section, value);
  return {};
}

Keys top_keys() {
  Keys keys = {"declaration", "vendor", "product", "model", "class", "release", "unique_id", "mud_url", "support"};
  for (const Section& section : sections()) keys.push_back(section.name);
  return keys;
}

Result<Declaration> read_document(const YAML::Node& root) {
  Declaration out;
  if (!root.IsMap()) return kDocument.complain(root.Mark(), "declaration", "must be a mapping");
  bool versioned = false;
  TRY_VOID(kDocument.mapping(root, "declaration", top_keys(), {},
                             [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) {
                               versioned = versioned || key == "declaration";
                               return read_top(out, key, value);
                             }));
  if (!versioned)
    return kDocument.complain(root.Mark(), "declaration",
                              "needs the key \"declaration\" with the version of this schema, 1");
  return out;
}

}  // namespace

const std::vector<Section>& sections() {
  using D = Declaration;
  static const std::vector<Section> kSections = {
      {"accounts", {"name", "credential", "purpose"}, {"name"}, &D::accounts, &D::has_accounts},
      {"communications", {"name", "port", "protocol", "purpose"}, {"name"}, &D::communications, &D::has_communications},
      {"functions", {"name", "program", "guard", "purpose"}, {"name", "purpose"}, &D::functions, &D::has_functions},
      {"ports", {"name", "port", "protocol", "interfaces", "purpose"}, {"port"}, &D::ports, &D::has_ports},
      {"services", {"name", "port", "protocol", "interfaces", "purpose"}, {"name"}, &D::services, &D::has_services},
      {"software", {"name", "version", "until", "purpose"}, {"name"}, &D::software, &D::has_software},
      {"update_keys", {"name", "algorithm", "fingerprint"}, {"fingerprint"}, &D::update_keys, &D::has_update_keys},
  };
  return kSections;
}

std::span<const std::string_view> protocols() { return kProtocols; }

// Kinds of network equipment: the network product classes of 3GPP's security assurance specifications (TS 33.116 to
// TS 33.537) under their usual abbreviations, then what stands at the customer's and between.
std::span<const std::string_view> network_classes() {
  static constexpr std::string_view kClasses[] = {"MME",        "PGW",
                                                  "eNB",        "gNB",
                                                  "split-gNB",  "AMF",
                                                  "UPF",        "UDM",
                                                  "SMF",        "AUSF",
                                                  "SEPP",       "NRF",
                                                  "NEF",        "NWDAF",
                                                  "SCP",        "NSSAAF",
                                                  "AAnF",       "virtualised-product",
                                                  "cpe-router", "cpe-ont",
                                                  "cpe-modem",  "access-point",
                                                  "ip-camera",  "switch",
                                                  "router",     "firewall",
                                                  "olt",        "management-system",
                                                  "other"};
  return kClasses;
}

Result<Declaration> read_declaration(std::string_view yaml) { return read_document(TRY(kDocument.load(yaml))); }

}  // namespace assay::checks
