// See outside.h.
#include "certify/outside.h"

#include "checks/yaml.h"
#include "core/json_parse.h"
#include "core/json_text.h"
#include "core/text.h"

#include <nlohmann/json.hpp>

namespace assay::certify {
namespace {

using Ordered = nlohmann::ordered_json;
using yaml::Document;

const Document& results_document() {
  static const Document kDocument("results", 1024);
  return kDocument;
}

Result<Record> read_result(const YAML::Node& node, const std::string& where) {
  static constexpr std::string_view kKeys[] = {"ref", "verdict", "by", "on", "method", "reason"};
  static constexpr std::string_view kVerdicts[] = {"PASS", "FAIL", "INCONCLUSIVE"};
  std::map<std::string, std::string> fields;
  TRY_VOID(results_document().mapping(
      node, where, kKeys, kKeys,
      [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
        const std::string at = where + "." + key;
        fields[key] = key == "verdict" ? TRY(results_document().one_of(value, at, kVerdicts))
                      : key == "on"    ? TRY(results_document().date(value, at))
                                       : TRY(results_document().text(value, at));
        return {};
      }));
  return make_record(std::move(fields));
}

Result<void> read_results(Collection& out, const YAML::Node& node) {
  if (!node.IsSequence()) return results_document().complain(node.Mark(), "tests", "must be a list");
  for (const YAML::Node& one : node)
    out.records.push_back(TRY(read_result(one, "tests[" + std::to_string(out.records.size()) + "]")));
  return {};
}

Ordered ordered_collection(const Collection& c) {
  Ordered records = Ordered::array();
  for (const Record& record : c.records) {
    Ordered fields = Ordered::object();
    for (const auto& [name, value] : record.fields) fields[name] = escape(value);
    records.push_back({{"id", record.id}, {"fields", fields}});
  }
  return {{"complete", c.complete}, {"why", escape(c.why)}, {"records", records}};
}

// The caller catches what the library throws where a field is missing or of another kind.
Collection collection_from(const nlohmann::json& json) {
  Collection out{json.at("complete").get<bool>(), unescape(json.at("why").get<std::string>()), {}};
  for (const auto& record : json.at("records")) {
    std::map<std::string, std::string> fields;
    for (const auto& [name, value] : record.at("fields").items()) fields[name] = unescape(value.get<std::string>());
    out.records.push_back(make_record(std::move(fields)));
  }
  return out;
}

}  // namespace

Result<Outside> read_manual(std::string_view text) {
  static constexpr std::string_view kKeys[] = {"results", "tester", "tests"};
  Outside out{.kind = "manual"};
  Collection& manual = out.collections["manual"];
  manual.complete = true;
  TRY_VOID(results_document().mapping(
      TRY(results_document().load(text)), "results", kKeys, kKeys,
      [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
        if (key == "results") TRY(results_document().number(value, key, 1, 1));
        if (key == "tester") out.producer = TRY(results_document().text(value, key));
        if (key == "tests") return read_results(manual, value);
        return {};
      }));
  return out;
}

void add(Evidences& evidence, const Outside& outside) {
  for (const auto& [name, from] : outside.collections) {
    Collection& to = evidence.collections[name];
    const bool first = to.records.empty() && !to.complete && to.why == kNoEvidence;
    to.complete = from.complete && (first || to.complete);
    if (first) to.why.clear();
    if (!from.complete) to.why += (to.why.empty() ? "" : "; ") + outside.file + ": " + from.why;
    to.records.insert(to.records.end(), from.records.begin(), from.records.end());
  }
}

Statement statement_of(const Outside& outside, const std::vector<Subject>& subjects) {
  Ordered collections = Ordered::object();
  for (const auto& [name, collection] : outside.collections) collections[name] = ordered_collection(collection);
  const Ordered predicate = {{"kind", outside.kind},
                             {"file", {{"name", escape(outside.file)}, {"digest", {{"sha256", outside.sha256}}}}},
                             {"producer", escape(outside.producer)},
                             {"settings", escape(outside.settings)},
                             {"collections", collections}};
  return {kOutsideType, subjects, json_text(predicate)};
}

namespace {

// A certificate from anybody holds such statements: none may bring what only an examination of the image can know.
bool may_speak_of(std::string_view kind, std::string_view collection) {
  if (kind == "nmap") return collection.starts_with("observed_ports.");
  return (kind == "sarif" && collection == "external_findings") || (kind == "manual" && collection == "manual");
}

}  // namespace

Result<Outside> read_outside(std::string_view statement) {
  try {
    const nlohmann::json json = TRY(parse_json(statement, "evidence from outside"));
    const auto& predicate = json.at("predicate");
    const auto text = [&](const char* field) { return unescape(predicate.at(field).get<std::string>()); };
    Outside out{.kind = text("kind"), .producer = text("producer"), .settings = text("settings")};
    out.file = unescape(predicate.at("file").at("name").get<std::string>());
    out.sha256 = predicate.at("file").at("digest").at("sha256").get<std::string>();
    for (const auto& [name, one] : predicate.at("collections").items()) {
      if (!may_speak_of(out.kind, name))
        return fail(Fault::kMalformed,
                    "evidence from outside: " + escape(out.kind) + " may not speak of " + escape(name));
      out.collections[name] = collection_from(one);
    }
    return out;
  } catch (const nlohmann::json::exception& error) {
    return fail(Fault::kMalformed, std::string("evidence from outside: the statement is damaged: ") + error.what());
  }
}

}  // namespace assay::certify
