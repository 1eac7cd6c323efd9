#include "certify/statement.h"

#include "certify/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<void> check(const Statement& statement) {
  if (statement.predicate_type.empty()) return fail(Fault::kMalformed, "statement: predicateType is empty");
  if (statement.subjects.empty()) return fail(Fault::kMalformed, "statement: it has no subject");
  for (const Subject& subject : statement.subjects)
    if (!is_hex_digest(subject.sha256))
      return fail(Fault::kMalformed, "statement: subject " + subject.name + ": digest " + subject.sha256 +
                                         " is not 64 lower-case hex digits");
  if (!nlohmann::json::accept(statement.predicate_json) || !statement.predicate_json.starts_with('{'))
    return fail(Fault::kMalformed, "statement: the predicate is not a JSON object");
  return {};
}

}  // namespace

Result<std::string> statement_bytes(const Statement& statement) {
  TRY_VOID(check(statement));
  std::string out = "{\"_type\":" + json_string(kStatementType) + ",\"subject\":[";
  for (size_t i = 0; i < statement.subjects.size(); ++i) {
    const Subject& subject = statement.subjects[i];
    out += (i ? ",{\"name\":" : "{\"name\":") + json_string(subject.name) +
           ",\"digest\":{\"sha256\":" + json_string(subject.sha256) + "}}";
  }
  out += "],\"predicateType\":" + json_string(statement.predicate_type) + ",\"predicate\":" + statement.predicate_json +
         "}";
  return out;
}

}  // namespace assay::certify
