// Reads a vendor's declaration: what the product is said to hold. The schema, with a full example, is in
// docs/declaration.md; YAML 1.2 through yaml-cpp. Every key is known or an error, because a misspelt key that is
// silently ignored would turn "declared" into "undeclared" or, worse, the other way round.
#include "checks/check.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>
#include <algorithm>
#include <charconv>

namespace assay::checks {
namespace {

constexpr size_t kLargest = 1 << 20;    // bytes of YAML
constexpr size_t kMostEntries = 10000;  // of one section
constexpr size_t kLongestText = 255;
constexpr std::string_view kVersion = "1";

// Where: "services[2].port"; a YAML mark counts lines from 0 and is -1 where yaml-cpp does not know it.
std::unexpected<Error> complain(const YAML::Mark& mark, const std::string& where, const std::string& what) {
  const std::string line = mark.line < 0 ? "" : "line " + std::to_string(mark.line + 1) + ": ";
  return fail(Fault::kMalformed, "declaration: " + line + where + ": " + what,
              mark.pos < 0 ? 0 : static_cast<uint64_t>(mark.pos));
}

// Looks for aliases and tags before anything is built from them: an alias can make a small text very large.
class Plain : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override { ++documents; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { see(mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { see(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string&) override {
    see(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    see(mark, anchor);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    see(mark, anchor);
  }
  void OnMapEnd() override {}

  int documents = 0;
  bool aliased = false;
  YAML::Mark where;

 private:
  void see(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == 0 || aliased) return;
    aliased = true;
    where = mark;
  }
};

Result<std::string> text(const YAML::Node& node, const std::string& where) {
  if (!node.IsScalar()) return complain(node.Mark(), where, "must be a text");
  const std::string& value = node.Scalar();
  if (value.empty()) return complain(node.Mark(), where, "must not be empty");
  if (value.size() > kLongestText) return complain(node.Mark(), where, "is longer than 255 bytes");
  return value;
}

Result<uint16_t> port(const YAML::Node& node, const std::string& where) {
  const std::string written = TRY(text(node, where));
  unsigned value = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
  if (error != std::errc() || end != written.data() + written.size() || value < 1 || value > 65535)
    return complain(node.Mark(), where, "must be a number from 1 to 65535, not \"" + written + "\"");
  return static_cast<uint16_t>(value);
}

Result<std::string> protocol(const YAML::Node& node, const std::string& where) {
  std::string written = TRY(text(node, where));
  constexpr std::string_view kProtocols[] = {"tcp", "udp", "sctp", "icmp", "raw", "serial"};
  if (std::ranges::find(kProtocols, written) == std::end(kProtocols))
    return complain(node.Mark(), where, "must be tcp, udp, sctp, icmp, raw or serial, not \"" + written + "\"");
  return written;
}

// A section of the declaration: which keys its entries may have, and which they must have.
struct Section {
  std::string_view name;
  std::vector<std::string_view> keys, required;
  std::vector<Declared> Declaration::* entries;
  bool Declaration::* present;  // null: no flag
};

const std::vector<Section>& sections() {
  static const std::vector<Section> kSections = {
      {"accounts", {"name"}, {"name"}, &Declaration::accounts, &Declaration::has_accounts},
      {"communications",
       {"name", "port", "protocol"},
       {"name"},
       &Declaration::communications,
       &Declaration::has_communications},
      {"ports", {"name", "port", "protocol"}, {"port"}, &Declaration::ports, nullptr},
      {"services", {"name", "port", "protocol"}, {"name"}, &Declaration::services, &Declaration::has_services},
      {"software", {"name", "version"}, {"name"}, &Declaration::software, &Declaration::has_software},
  };
  return kSections;
}

std::string list(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

Result<void> read_field(Declared& into, const std::string& key, const YAML::Node& value, const std::string& where) {
  if (key == "name") into.name = TRY(text(value, where));
  if (key == "version") into.version = TRY(text(value, where));
  if (key == "protocol") into.protocol = TRY(protocol(value, where));
  if (key == "port") into.port = TRY(port(value, where));
  return {};
}

Result<Declared> read_entry(const YAML::Node& node, const Section& section, const std::string& where) {
  if (!node.IsMap()) return complain(node.Mark(), where, "must be a mapping with " + list(section.keys));
  Declared entry;
  std::vector<std::string> seen;
  for (const auto& pair : node) {
    const std::string key = TRY(text(pair.first, where));
    if (std::ranges::find(section.keys, key) == section.keys.end())
      return complain(pair.first.Mark(), where, "unknown key \"" + key + "\" (known: " + list(section.keys) + ")");
    if (std::ranges::find(seen, key) != seen.end())
      return complain(pair.first.Mark(), where, "key \"" + key + "\" stands twice");
    seen.push_back(key);
    TRY_VOID(read_field(entry, key, pair.second, where + "." + key));
  }
  for (const std::string_view key : section.required)
    if (std::ranges::find(seen, key) == seen.end())
      return complain(node.Mark(), where, "needs the key \"" + std::string(key) + "\"");
  return entry;
}

Result<void> read_section(Declaration& into, const Section& section, const YAML::Node& node) {
  const std::string name(section.name);
  if (!node.IsSequence())
    return complain(node.Mark(), name, "must be a list; write \"" + name + ": []\" to declare that there are none");
  if (node.size() > kMostEntries) return complain(node.Mark(), name, "has more than 10000 entries");
  size_t index = 0;
  for (const YAML::Node& entry : node)
    (into.*section.entries).push_back(TRY(read_entry(entry, section, name + "[" + std::to_string(index++) + "]")));
  if (section.present != nullptr) into.*section.present = true;
  return {};
}

Result<void> read_version(const YAML::Node& node) {
  const std::string version = TRY(text(node, "declaration"));
  if (version != kVersion)
    return complain(node.Mark(), "declaration", "version \"" + version + "\" is not read, only 1");
  return {};
}

Result<void> read_top(Declaration& into, const std::string& key, const YAML::Node& value, const YAML::Mark& mark) {
  if (key == "declaration") return read_version(value);
  if (key == "vendor" || key == "product" || key == "release") {  // for people; no check reads them
    TRY(text(value, key));
    return {};
  }
  for (const Section& section : sections())
    if (section.name == key) return read_section(into, section, value);
  return complain(mark, "declaration",
                  "unknown key \"" + key +
                      "\" (known: declaration, vendor, product, release, accounts, communications, ports, services, "
                      "software)");
}

Result<Declaration> read_document(const YAML::Node& root) {
  if (!root.IsMap()) return complain(root.Mark(), "declaration", "must be a mapping");
  Declaration out;
  std::vector<std::string> seen;
  for (const auto& pair : root) {
    const std::string key = TRY(text(pair.first, "declaration"));
    if (std::ranges::find(seen, key) != seen.end())
      return complain(pair.first.Mark(), "declaration", "key \"" + key + "\" stands twice");
    seen.push_back(key);
    TRY_VOID(read_top(out, key, pair.second, pair.first.Mark()));
  }
  if (std::ranges::find(seen, "declaration") == seen.end())
    return complain(root.Mark(), "declaration", "needs the key \"declaration\" with the version of this schema, 1");
  return out;
}

Result<Declaration> parse(const std::string& yaml) {
  std::istringstream stream(yaml);
  YAML::Parser parser(stream);
  Plain plain;
  while (parser.HandleNextDocument(plain)) {
    if (plain.aliased) return complain(plain.where, "declaration", "anchors and aliases are not read");
    if (plain.documents > 1) return fail(Fault::kMalformed, "declaration: more than one YAML document");
  }
  if (plain.documents == 0) return fail(Fault::kMalformed, "declaration: is empty");
  return read_document(YAML::Load(yaml));
}

}  // namespace

Result<Declaration> read_declaration(std::string_view yaml) {
  if (yaml.size() > kLargest)
    return fail(Fault::kLimit, "declaration: " + std::to_string(yaml.size()) + " bytes, more than 1 MiB");
  try {
    return parse(std::string(yaml));
  } catch (const YAML::Exception& error) {
    return complain(error.mark, "declaration", "not YAML: " + error.msg);
  }
}

}  // namespace assay::checks
