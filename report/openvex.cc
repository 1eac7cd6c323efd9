// OpenVEX 0.2.0 (github.com/openvex/spec): each finding as a statement that somebody has to answer. Its status is
// always under_investigation: the mechanism is there, and whether it can be used against the product is the vendor's to
// say, who changes the status and adds the justification or the action that the specification asks for then.
#include "core/json_text.h"
#include "report/json.h"

#include <map>
#include <set>

namespace assay::report {
namespace {

std::string image_urn(const Examination& e) { return "urn:sha256:" + e.sha256.hex(); }

Json subcomponent(const Examination& e, const Artifact& artifact) {
  Json out = {{"@id", image_urn(e) + "#" + uri_of(full_way(e, artifact.way))}};
  if (artifact.has_content) out["hashes"] = {{"sha-256", artifact.sha256.hex()}};
  return out;
}

using ByWay = std::map<std::string_view, const Artifact*>;

ByWay by_way(const Examination& e) {
  ByWay out;
  for (const Artifact& artifact : e.artifacts) out.try_emplace(artifact.way, &artifact);
  return out;
}

// The artifacts where its evidence lies, each once; the image itself is the product already.
Json subcomponents(const Examination& e, const ByWay& artifacts, const Finding& f) {
  Json out = Json::array();
  std::set<std::string_view> seen{""};
  for (const Evidence& evidence : f.evidence) {
    const auto at = artifacts.find(evidence.artifact);
    if (at != artifacts.end() && seen.insert(at->first).second) out.push_back(subcomponent(e, *at->second));
  }
  return out;
}

Json vulnerability(const Finding& f) {
  Json out = {{"name", f.rule}, {"description", f.title}};
  Json aliases = Json::array();
  for (const uint32_t cwe : f.cwe) aliases.push_back("CWE-" + std::to_string(cwe));
  if (!aliases.empty()) out["aliases"] = aliases;
  return out;
}

Json statement(const Examination& e, const ByWay& artifacts, const Finding& f) {
  Json product = {{"@id", image_urn(e)}, {"hashes", {{"sha-256", e.sha256.hex()}}}};
  if (Json inside = subcomponents(e, artifacts, f); !inside.empty()) product["subcomponents"] = inside;
  return {{"@id", image_urn(e) + "#finding-" + f.id},
          {"vulnerability", vulnerability(f)},
          {"products", Json::array({product})},
          {"status", "under_investigation"},
          {"status_notes", escape(f.claim)}};
}

}  // namespace

std::string openvex(const Examination& e) {
  const ByWay artifacts = by_way(e);
  Json statements = Json::array();
  for (const Finding& f : e.findings) statements.push_back(statement(e, artifacts, f));
  const Json out = {{"@context", "https://openvex.dev/ns/v0.2.0"},
                    {"@id", image_urn(e) + "#openvex-" + e.as_of},
                    {"author", "assay"},
                    {"role", "examining program"},
                    {"timestamp", e.as_of + "T00:00:00Z"},
                    {"version", 1},
                    {"tooling", "assay " + e.tool_version},
                    {"statements", statements}};
  return json_text(out, 1) + "\n";
}

}  // namespace assay::report
