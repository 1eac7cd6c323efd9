// See records.h.
#include "certify/records.h"

#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

// Writes the plain fields of a struct with FIELDS; its evidence becomes the field "at".
struct Flatten {
  std::map<std::string, std::string>& out;

  template <class T>
  void operator()(std::string_view name, const T& value) {
    const std::string key(name);
    if constexpr (std::is_same_v<T, std::string>)
      out[key] = escape(value);
    else if constexpr (std::is_same_v<T, bool>)
      out[key] = value ? "yes" : "no";
    else if constexpr (std::is_enum_v<T>)
      out[key] = std::string(name_of(value));
    else if constexpr (std::is_integral_v<T>)
      out[key] = value == 0 && key == "port" ? "" : std::to_string(value);  // 0: not known, or any
    else if constexpr (requires { value.has_value(); })
      out[key] = value ? std::to_string(*value) : "";
    else if constexpr (std::is_same_v<T, Evidence>)
      out[key] = value.artifact + "+" + std::to_string(value.offset);
    else if constexpr (std::is_same_v<T, std::vector<std::string>>)
      for (std::string& all = out[key]; const std::string& one : value) all += (all.empty() ? "" : " ") + escape(one);
  }
};

template <class T>
std::vector<std::string> names_of() {
  std::map<std::string, std::string> fields;
  const T nothing{};
  T::fields(nothing, Flatten{fields});
  std::vector<std::string> out;
  if (!std::is_same_v<T, checks::Declared>) out.emplace_back("image");
  for (const auto& [name, value] : fields) out.push_back(name);
  return out;
}

template <class T>
void add_records(Collection& to, const std::vector<T>& list, const std::string& image) {
  for (const T& one : list) {
    std::map<std::string, std::string> fields;
    T::fields(one, Flatten{fields});
    if (!image.empty()) fields["image"] = image;
    to.records.push_back(make_record(std::move(fields)));
  }
}

// Lists of an operating system's configuration say something only where such a system was seen at all.
bool has_system(const Facts& facts) { return !facts.startup.empty() && !facts.file_types.empty(); }

std::string why_not_complete(std::span<const Examination* const> examinations) {
  std::string why;
  const auto add = [&](const std::string& reason) { why += (why.empty() ? "" : "; ") + reason; };
  for (const Examination* e : examinations) {
    if (e->complete) continue;
    for (const std::string& reason : e->incomplete_because) add(reason);
    if (e->incomplete_because.empty()) add("the examination is not complete");
  }
  const auto seen = [](const Examination* e) { return has_system(e->facts); };
  if (why.empty() && std::ranges::none_of(examinations, seen))
    why = "no operating system was recognised in the image: nothing that starts by itself was found";
  return why;
}

void add_facts(const Examination& e, Evidences& out) {
  const Facts& f = e.facts;
  const std::string image = e.sha256.hex();
  const auto put = [&](const char* name, const auto& list) { add_records(out.collections[name], list, image); };
  put("findings", e.findings);
  put("accounts", f.accounts);
  put("services", f.services);
  put("components", f.components);
  put("elf", f.elf);
  put("keys", f.keys);
  put("settings", f.settings);
  put("web_servers", f.web_servers);
  put("update", f.update);
  put("boot", f.boot);
}

constexpr const char* kOfFacts[] = {"findings", "accounts", "services",    "components", "elf",
                                    "keys",     "settings", "web_servers", "update",     "boot"};

void add_declaration(const checks::Declaration& d, Evidences& out) {
  const auto put = [&](const char* name, bool present, const std::vector<checks::Declared>& list) {
    Collection& to = out.collections[std::string("declaration.") + name];
    to = {present, present ? "" : "the declaration has no section " + std::string(name), {}};
    add_records(to, list, "");
  };
  put("services", d.has_services, d.services);
  put("ports", d.has_ports, d.ports);
  put("accounts", d.has_accounts, d.accounts);
  put("software", d.has_software, d.software);
  put("communications", d.has_communications, d.communications);
  put("functions", d.has_functions, d.functions);
  put("update_keys", d.has_update_keys, d.update_keys);
  out.network_class = d.network_class;
}

}  // namespace

Record make_record(std::map<std::string, std::string> fields) {
  std::string all;
  for (const auto& [name, value] : fields) all += name + "=" + std::to_string(value.size()) + ":" + value + "\n";
  return {sha256(Bytes(all)).hex().substr(0, 12), std::move(fields)};
}

Evidences gather(std::span<const Examination* const> examinations, const checks::Declaration* declaration) {
  Evidences out;
  for (const std::string& name : collection_names())
    out.collections[name] = {false, name.starts_with("declaration.") ? "no declaration was given" : kNoEvidence, {}};
  const std::string why = why_not_complete(examinations);
  for (const char* name : kOfFacts) out.collections[name] = {why.empty(), why, {}};
  for (const Examination* e : examinations) {
    add_facts(*e, out);
    out.images.push_back(e->sha256.hex());
    out.as_of = e->as_of;
  }
  if (declaration != nullptr) add_declaration(*declaration, out);
  if (!examinations.empty())
    for (const Rule& rule : examinations[0]->rules) out.rules.push_back(rule.id);
  return out;
}

std::vector<std::string> field_names(const std::string& collection) {
  static const std::map<std::string, std::vector<std::string>> kFields = {
      {"accounts", names_of<Account>()},
      {"boot", names_of<Boot>()},
      {"components", names_of<Component>()},
      {"elf", names_of<Elf>()},
      {"external_findings", {"tool", "rule", "kind", "level", "suppressed", "message", "at"}},
      {"findings", names_of<Finding>()},
      {"keys", names_of<Key>()},
      {"manual", {"ref", "verdict", "by", "on", "method", "reason"}},
      {"observed_ports.tcp", {"host", "protocol", "port", "state", "service", "declared"}},
      {"observed_ports.udp", {"host", "protocol", "port", "state", "service", "declared"}},
      {"services", names_of<Service>()},
      {"settings", names_of<Setting>()},
      {"update", names_of<Update>()},
      {"web_servers", names_of<WebServer>()}};
  const auto at = kFields.find(collection);
  return at == kFields.end() ? names_of<checks::Declared>() : at->second;
}

bool is_adverse(const std::string& collection) {
  return collection == "findings" || collection == "external_findings" || collection.starts_with("observed_ports.");
}

std::vector<std::string> collection_names() {
  return {"accounts",
          "boot",
          "components",
          "declaration.accounts",
          "declaration.communications",
          "declaration.functions",
          "declaration.ports",
          "declaration.services",
          "declaration.software",
          "declaration.update_keys",
          "elf",
          "external_findings",
          "findings",
          "keys",
          "manual",
          "observed_ports.tcp",
          "observed_ports.udp",
          "services",
          "settings",
          "update",
          "web_servers"};
}

}  // namespace assay::certify
