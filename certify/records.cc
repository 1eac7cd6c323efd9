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
      out[key] = std::to_string(value);
    else if constexpr (std::is_same_v<T, Evidence>)
      out[key] = value.artifact + "+" + std::to_string(value.offset);
    else if constexpr (std::is_same_v<T, std::vector<std::string>>)
      for (const std::string& one : value) out[key] += (out[key].empty() ? "" : " ") + escape(one);
  }
};

template <class T>
std::vector<Record> records_of(const std::vector<T>& list) {
  std::vector<Record> out;
  for (const T& one : list) {
    std::map<std::string, std::string> fields;
    T::fields(one, Flatten{fields});
    out.push_back(make_record(std::move(fields)));
  }
  return out;
}

// Lists of an operating system's configuration say something only where such a system was seen at all.
std::string no_system(const Facts& facts) {
  if (!facts.startup.empty() && !facts.file_types.empty()) return "";
  return "no operating system was recognised in the image: nothing that starts by itself was found";
}

void add_facts(const Examination& e, Evidences& out) {
  const Facts& f = e.facts;
  std::string why;
  for (const std::string& reason : e.incomplete_because) why += (why.empty() ? "" : "; ") + reason;
  if (why.empty()) why = no_system(f);
  const auto put = [&](const char* name, std::vector<Record> records) {
    out.collections[name] = {e.complete && why.empty(), why, std::move(records)};
  };
  put("findings", records_of(e.findings));
  put("accounts", records_of(f.accounts));
  put("services", records_of(f.services));
  put("components", records_of(f.components));
  put("elf", records_of(f.elf));
  put("keys", records_of(f.keys));
  put("settings", records_of(f.settings));
  put("web_servers", records_of(f.web_servers));
  put("update", records_of(f.update));
  put("boot", records_of(f.boot));
}

void add_declaration(const checks::Declaration& d, Evidences& out) {
  const auto put = [&](const char* name, bool present, const std::vector<checks::Declared>& list) {
    out.collections[std::string("declaration.") + name] = {
        present, present ? "" : "the declaration has no section " + std::string(name), records_of(list)};
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

Evidences gather(const Examination& examination, const checks::Declaration* declaration) {
  Evidences out;
  for (const std::string& name : collection_names()) out.collections[name] = {false, "no declaration was given", {}};
  add_facts(examination, out);
  if (declaration != nullptr) add_declaration(*declaration, out);
  for (const Rule& rule : examination.rules) out.rules.push_back(rule.id);
  return out;
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
          "findings",
          "keys",
          "services",
          "settings",
          "update",
          "web_servers"};
}

}  // namespace assay::certify
