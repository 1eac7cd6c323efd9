// See evidence_file.h.
#include "certify/evidence_file.h"

#include "core/json_parse.h"
#include "core/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::json;  // sorted keys

Json collection_of(const Collection& c) {
  std::vector<const Record*> sorted;
  for (const Record& record : c.records) sorted.push_back(&record);
  std::ranges::stable_sort(sorted, {}, &Record::id);
  Json records = Json::array();
  for (const Record* record : sorted) records.push_back(record->fields);
  return {{"complete", c.complete}, {"why", c.why}, {"records", records}};
}

// The caller catches what the library throws where a field is missing or of another kind.
Evidences evidence_of(const Json& json) {
  Evidences out;
  out.images = json.at("images").get<std::vector<std::string>>();
  out.rules = json.at("rules").get<std::vector<std::string>>();
  out.network_class = json.at("class").get<std::string>();
  out.as_of = json.at("asOf").get<std::string>();
  for (const auto& [name, one] : json.at("collections").items()) {
    Collection& to = out.collections[name];
    to.complete = one.at("complete").get<bool>();
    to.why = one.at("why").get<std::string>();
    for (const Json& record : one.at("records"))
      to.records.push_back(make_record(record.get<std::map<std::string, std::string>>()));
  }
  return out;
}

}  // namespace

std::string evidence_json(const Evidences& evidence) {
  Json collections = Json::object();
  for (const auto& [name, collection] : evidence.collections) collections[name] = collection_of(collection);
  const Json out = {{"evidence", 1},           {"images", evidence.images},
                    {"rules", evidence.rules}, {"class", evidence.network_class},
                    {"asOf", evidence.as_of},  {"collections", collections}};
  return json_text(out, 1) + "\n";
}

Result<Evidences> read_evidence(std::string_view text) {
  try {
    const Json json = TRY(parse_json(text, "evidence"));
    if (json.at("evidence") != 1) return fail(Fault::kUnsupported, "evidence: only version 1 is read");
    Evidences out = evidence_of(json);
    if (evidence_json(out) != text)
      return fail(Fault::kMalformed, "evidence: not in the one encoding of such a file: something was changed");
    return out;
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, std::string("evidence: not an evidence file, or a damaged one: ") + error.what());
  }
}

}  // namespace assay::certify
