// Standards as CycloneDX 1.6 definitions (CycloneDX/specification, schema/bom-1.6.schema.json, definitions/standard).
// What it has no field for stands in properties of ours.
#include "certify/requirements.h"
#include "core/json_text.h"

#include <nlohmann/json.hpp>

namespace assay::certify {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered property(const char* name, const std::string& value) { return {{"name", name}, {"value", value}}; }

Ordered requirement_of(const Standard& standard, const Requirement& r) {
  Ordered properties = Ordered::array({property("assay:evidence", r.evidence)});
  if (!r.editions.empty()) properties.push_back(property("assay:editions", r.editions));
  for (const std::string& rule : r.rules) properties.push_back(property("assay:rule", rule));
  return {{"bom-ref", standard.stem + "/" + r.clause + (r.id.empty() ? "" : "/" + r.id)},
          {"identifier", r.clause + (r.id.empty() ? "" : " " + r.id)},
          {"title", r.title},
          {"properties", properties}};
}

std::string description_of(const Standard& s) {
  return s.title + ". Source of what stands here: " + s.source +
         ". Reviewed against the text: " + (s.reviewed ? "yes" : "no") + "." +
         (s.tests.empty() ? "" : " Tests: " + s.tests + ".") +
         " This is no copy of the standard and does not replace it.";
}

Ordered standard_of(const Standard& s) {
  Ordered requirements = Ordered::array();
  for (const Requirement& r : s.requirements) requirements.push_back(requirement_of(s, r));
  return {{"bom-ref", s.stem},    {"name", s.name},
          {"version", s.version}, {"description", description_of(s)},
          {"owner", s.owner},     {"requirements", requirements}};
}

}  // namespace

std::string standards_cyclonedx(const std::vector<Standard>& standards) {
  Ordered list = Ordered::array();
  for (const Standard& s : standards) list.push_back(standard_of(s));
  const Ordered all{
      {"bomFormat", "CycloneDX"}, {"specVersion", "1.6"}, {"version", 1}, {"definitions", {{"standards", list}}}};
  return json_text(all, 1) + "\n";
}

}  // namespace assay::certify
