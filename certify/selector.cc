// The one small notation of a policy: collection[field op value and field op value].
#include "certify/policy.h"
#include "checks/yaml.h"
#include "core/suggest.h"
#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

constexpr std::string_view kOps[] = {"==", "!=", "^=", "<=", ">=", "<", ">", "in"};

Result<Condition> read_condition(std::string_view text) {
  text = trim(text);
  const size_t end = text.find_first_of(" =!^<>");
  if (end == 0 || end == std::string_view::npos)
    return fail(Fault::kMalformed, "\"" + std::string(text) + "\" is no condition (field op value)");
  Condition out{.field = std::string(text.substr(0, end))};
  constexpr std::string_view kDaysSince = "days_since(";
  if (out.field.starts_with(kDaysSince) && out.field.ends_with(')')) {
    out.days_since = true;
    out.field = out.field.substr(kDaysSince.size(), out.field.size() - kDaysSince.size() - 1);
  }
  const std::string_view rest = trim(text.substr(end));
  for (const std::string_view op : kOps)
    if (out.op.empty() && rest.starts_with(op)) out.op = op;
  if (out.op.empty())
    return fail(Fault::kMalformed, "unknown operator in \"" + std::string(text) + "\" (==, !=, ^=, <, <=, >, >=, in)");
  std::string_view value = trim(rest.substr(out.op.size()));
  if (out.op != "in") {
    out.value.emplace_back(value);
  } else {
    if (!value.starts_with('(') || !value.ends_with(')'))
      return fail(Fault::kMalformed, "in needs a list in parentheses: \"" + std::string(text) + "\"");
    for (const std::string_view one : split(value.substr(1, value.size() - 2), ',')) out.value.emplace_back(trim(one));
  }
  if (std::ranges::any_of(out.value, [](const std::string& v) { return v.empty(); }))
    return fail(Fault::kMalformed, "\"" + std::string(text) + "\" lacks a value");
  if (out.days_since && out.op[0] != '<' && out.op[0] != '>')
    return fail(Fault::kMalformed, "days_since is compared with <, <=, > or >=: \"" + std::string(text) + "\"");
  return out;
}

}  // namespace

Result<std::vector<Condition>> read_conditions(std::string_view text) {
  std::vector<Condition> out;
  for (;;) {
    const size_t next = text.find(" and ");
    out.push_back(TRY(read_condition(text.substr(0, next))));
    if (next == std::string_view::npos) return out;
    text.remove_prefix(next + 5);
  }
}

std::string unknown_evidence(const std::string& name) {
  const auto names = collection_names();
  const std::vector<std::string_view> words(names.begin(), names.end());
  return "unknown evidence \"" + name + "\" (known: " + yaml::list(words) + ")" + did_you_mean(name, words);
}

Result<Selector> read_selector(std::string_view text) {
  const size_t open = text.find('[');
  Selector out{.collection = std::string(trim(text.substr(0, open)))};
  const auto names = collection_names();
  if (std::ranges::find(names, out.collection) == names.end())
    return fail(Fault::kMalformed, unknown_evidence(out.collection));
  if (open == std::string_view::npos) return out;
  if (!text.ends_with(']')) return fail(Fault::kMalformed, "\"" + std::string(text) + "\" lacks its ]");
  out.conditions = TRY(read_conditions(text.substr(open + 1, text.size() - open - 2)));
  return out;
}

}  // namespace assay::certify
