// Reads SARIF 2.1.0 of other tools: see outside.h. Defaults as the standard has them: kind "fail", level "warning"
// (sections 3.27.9 and 3.27.10); a result that was suppressed stays one and says so.
#include "certify/outside.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostResults = 100000, kLongestMessage = 500;

std::string text(const Json& of, const char* pointer, const char* otherwise = "") {
  const Json::json_pointer at(pointer);
  return of.contains(at) && of[at].is_string() ? of[at].get<std::string>() : otherwise;
}

std::string place(const Json& result) {
  std::string uri = text(result, "/locations/0/physicalLocation/artifactLocation/uri");
  for (const char* unit : {"startLine", "byteOffset"}) {
    const Json::json_pointer at(std::string("/locations/0/physicalLocation/region/") + unit);
    if (result.contains(at) && result[at].is_number_unsigned())
      return uri + "+" + unit + ":" + std::to_string(result[at].get<uint64_t>());
  }
  return uri;
}

Record record_of(const Json& result, const std::string& tool) {
  const std::string kind = text(result, "/kind", "fail");
  return make_record({{"tool", tool},
                      {"rule", text(result, "/ruleId", text(result, "/rule/id").c_str())},
                      {"kind", kind},
                      {"level", text(result, "/level", kind == "fail" ? "warning" : "none")},
                      {"suppressed", result.contains("suppressions") && !result["suppressions"].empty() ? "yes" : "no"},
                      {"message", text(result, "/message/text").substr(0, kLongestMessage)},
                      {"at", place(result)}});
}

// "" : the run says that it ended successfully.
std::string why_not_complete(const Json& run) {
  const Json::json_pointer at("/invocations/0/executionSuccessful");
  if (!run.contains(at) || !run[at].is_boolean()) return "a run does not say whether it ended successfully";
  for (const Json& invocation : run["invocations"])
    if (!invocation.is_object() || invocation.value("executionSuccessful", Json(false)) != true)
      return "a run did not end successfully";
  return "";
}

Result<void> read_run(Outside& out, Collection& to, const Json& run) {
  const std::string name = text(run, "/tool/driver/name");
  if (name.empty()) return fail(Fault::kMalformed, "sarif: a run names no tool (tool/driver/name)");
  const std::string tool = name + " " + text(run, "/tool/driver/version", "of unknown version");
  out.producer += (out.producer.empty() ? "" : ", ") + tool;
  const std::string command = text(run, "/invocations/0/commandLine");
  if (!command.empty()) out.settings += (out.settings.empty() ? "" : "; ") + command;
  if (const std::string why = why_not_complete(run); !why.empty()) to.complete = false, to.why = why;
  if (!run.contains("results")) {
    to.complete = false;
    to.why = "a run has no results";
    return {};
  }
  if (!run["results"].is_array()) return fail(Fault::kMalformed, "sarif: results is no list");
  for (const Json& result : run["results"]) {
    if (!result.is_object()) return fail(Fault::kMalformed, "sarif: a result is no object");
    if (to.records.size() == kMostResults) return fail(Fault::kLimit, "sarif: more than 100000 results");
    to.records.push_back(record_of(result, tool));
  }
  return {};
}

}  // namespace

Result<Outside> read_sarif(std::string_view json) {
  const Json root = TRY(parse_json(json, "sarif"));
  if (!root.is_object()) return fail(Fault::kMalformed, "sarif: not a JSON object");
  if (text(root, "/version") != "2.1.0") return fail(Fault::kUnsupported, "sarif: version must be 2.1.0");
  if (!root.contains("runs") || !root["runs"].is_array() || root["runs"].empty())
    return fail(Fault::kMalformed, "sarif: runs is missing or empty");
  Outside out{.kind = "sarif"};
  Collection& to = out.collections["external_findings"];
  to.complete = true;
  for (const Json& run : root["runs"]) TRY_VOID(read_run(out, to, run));
  return out;
}

}  // namespace assay::certify
