#include "certify/terms.h"

#include "certify/statement.h"
#include "core/date.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

std::string field_text(const Json& object, const char* field) { return object.value(field, std::string()); }

void read_images(const Json& extension, Terms& out) {
  for (const Json& image : extension.value("images", Json::array()))
    out.images.push_back({field_text(image, "name"), field_text(image, "sha256"), field_text(image, "factRoot"),
                          image.value("arrows", uint64_t{0})});
  for (const Json& key : extension.value("keys", Json::array()))
    out.keys.emplace_back(field_text(key, "format"), field_text(key, "sha256"));
  for (const Json& waiver : extension.value("waivers", Json::array()))
    out.waived.emplace_back(field_text(waiver, "ref"), field_text(waiver, "until"));
}

void read_product(const Json& product, Terms& out) {
  out.vendor = field_text(product, "vendor"), out.product = field_text(product, "product");
  out.model = field_text(product, "model"), out.release = field_text(product, "release");
  out.unique_id = field_text(product, "uniqueId"), out.network_class = field_text(product, "class");
}

Result<void> check_days(const Terms& terms, const std::string& file) {
  for (const auto& [field, day] : {std::pair{"validFrom", &terms.valid_from}, {"validUntil", &terms.valid_until}})
    if (!day->empty() && !seconds_of_date(*day))
      return fail(Fault::kMalformed, file + ": " + field + ": " + *day + " is no day");
  return {};
}

}  // namespace

std::string product_line(const Terms& terms) {
  std::string out;
  const auto add = [&](std::string_view between, std::string_view word, const std::string& value) {
    if (!value.empty()) out.append(out.empty() ? "" : between).append(word).append(value);
  };
  add("", "", terms.vendor);
  add(" ", "", terms.product);
  add(", ", "model ", terms.model);
  add(", ", "release ", terms.release);
  return out;
}

Result<Terms> read_terms(const std::string& statement, const std::string& file) {
  try {
    const Json json = TRY(parse_json(statement, file + ": the verdict"));
    if (field_text(json, "predicateType") != kVerdictType)
      return fail(Fault::kMalformed, file + ": predicateType is " + field_text(json, "predicateType") + ", not " +
                                         kVerdictType + ": this file is no certificate");
    const Json& predicate = json.at("predicate");
    const Json extension = predicate.value(kExtension, Json::object());
    const Json policy = predicate.value("policy", Json::object());
    const Json program = extension.value("program", Json::object());
    Terms out;
    out.passed = field_text(predicate, "verificationResult") == "PASSED";
    out.levels = predicate.value("verifiedLevels", std::vector<std::string>());
    out.policy_uri = field_text(policy, "uri");
    out.policy_sha256 = policy.value("/digest/sha256"_json_pointer, std::string());
    out.program_version = field_text(program, "version"), out.program_sha256 = field_text(program, "sha256");
    out.valid_from = field_text(extension, "validFrom"), out.valid_until = field_text(extension, "validUntil");
    out.as_of = field_text(extension, "asOf");
    out.declaration_sha256 = extension.value("/declaration/sha256"_json_pointer, std::string());
    read_product(extension.value("product", Json::object()), out);
    read_images(extension, out);
    TRY_VOID(check_days(out, file));
    return out;
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, file + ": the verdict is damaged: " + error.what());
  }
}

}  // namespace assay::certify
