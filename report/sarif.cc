// SARIF 2.1.0 (OASIS): one run, one result a finding. Binary evidence has byte offsets, never line numbers.
#include "core/json_text.h"
#include "report/json.h"

namespace assay::report {
namespace {

// SARIF knows four levels; the severity itself stands in the properties.
std::string level(Severity severity) {
  if (severity >= Severity::kHigh) return "error";
  return severity >= Severity::kLow ? "warning" : "note";
}

Json location(const Examination& e, const Evidence& evidence) {
  Json physical = {{"artifactLocation", {{"uri", uri_of(full_way(e, evidence.artifact))}, {"uriBaseId", "IMAGE"}}}};
  if (evidence.length > 0)
    physical["region"] = {{"byteOffset", evidence.offset},
                          {"byteLength", evidence.length},
                          {"snippet", {{"text", escape(evidence.shows)}}}};
  return {{"physicalLocation", physical}, {"message", {{"text", escape(evidence.shows)}}}};
}

Json reporting_descriptor(const Rule& r) {
  Json tags = Json::array({"security"});
  for (const uint32_t cwe : r.cwe) tags.push_back("external/cwe/cwe-" + std::to_string(cwe));
  for (const std::string& requirement : r.requirements) tags.push_back(requirement);
  return {{"id", r.id},
          {"shortDescription", {{"text", r.title}}},
          {"fullDescription", {{"text", r.means}}},
          {"help", {{"text", "Misses: " + r.misses + "\nMistakes: " + r.mistakes}}},
          {"properties", {{"tags", tags}, {"version", r.version}}}};
}

Json result(const Examination& e, const Finding& f, const std::map<std::string, size_t>& rule_index) {
  Json locations = Json::array(), related = Json::array();
  for (size_t i = 0; i < f.evidence.size(); ++i) (i == 0 ? locations : related).push_back(location(e, f.evidence[i]));
  Json out = {{"ruleId", f.rule},
              {"kind", "fail"},
              {"level", level(f.severity)},
              {"message", {{"text", escape(f.claim)}}},
              {"locations", locations},
              {"partialFingerprints", {{"assay/v1", f.id}}},
              {"properties",
               {{"severity", std::string(name_of(f.severity))}, {"confidence", std::string(name_of(f.confidence))}}}};
  if (!related.empty()) out["relatedLocations"] = related;
  if (const auto it = rule_index.find(f.rule); it != rule_index.end()) out["ruleIndex"] = it->second;
  return out;
}

}  // namespace

std::string sarif(const Examination& e) {
  std::map<std::string, size_t> rule_index;
  Json rules = Json::array(), results = Json::array(), notifications = Json::array();
  for (const Rule& r : e.rules) {
    rule_index.emplace(r.id, rules.size());
    rules.push_back(reporting_descriptor(r));
  }
  for (const Finding& f : e.findings) results.push_back(result(e, f, rule_index));
  for (const std::string& reason : e.incomplete_because)
    notifications.push_back({{"level", "warning"}, {"message", {{"text", "incomplete: " + escape(reason)}}}});
  Json run = {{"tool", {{"driver", {{"name", "assay"}, {"version", e.tool_version}, {"rules", rules}}}}},
              {"artifacts", Json::array({{{"location", {{"uri", uri_of(escape(e.name))}, {"uriBaseId", "IMAGE"}}},
                                          {"length", e.size},
                                          {"hashes", {{"sha-256", e.sha256.hex()}}}}})},
              {"invocations",
               Json::array({{{"executionSuccessful", e.complete}, {"toolExecutionNotifications", notifications}}})},
              {"columnKind", "unicodeCodePoints"},
              {"results", results}};
  const Json out = {
      {"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs", Json::array({run})}};
  return json_text(out, 1) + "\n";
}

}  // namespace assay::report
