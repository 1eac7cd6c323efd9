// Reads policies (docs/policy.md): YAML, every key known or an error with its line.
#include "certify/base64.h"
#include "certify/policy.h"
#include "checks/yaml.h"
#include "core/suggest.h"

#include <algorithm>

namespace assay::certify {
namespace {

using yaml::Document;
using Keys = std::vector<std::string_view>;

const Document& document() {
  static const Document kDocument("policy", 1024);
  return kDocument;
}

std::unexpected<Error> complain(const YAML::Node& node, const std::string& where, const Error& error) {
  return document().complain(node.Mark(), where, error.what);
}

Result<Selector> selector(const YAML::Node& node, const std::string& where) {
  const auto read = read_selector(TRY(document().text(node, where)));
  if (!read) return complain(node, where, read.error());
  return *read;
}

Result<void> read_test_key(Test& test, const std::string& key, const YAML::Node& node, const std::string& where) {
  constexpr static std::string_view kOps[] = {"<", "<=", ">", ">="};
  constexpr static std::string_view kConfidences[] = {"possible", "likely", "certain"};
  if (key == "op") {
    test.op = TRY(document().one_of(node, where, kOps));
  } else if (key == "value") {
    test.value = TRY(document().number(node, where, 0, 1'000'000'000));
  } else if (key == "confidence") {
    test.weakest = TRY(document().one_of(node, where, kConfidences));
  } else if (key == "needs") {
    test.needs = TRY(document().texts(node, where));
    for (const std::string& name : test.needs)
      if (const auto known = read_selector(name); !known || name.contains('['))
        return document().complain(node.Mark(), where, unknown_evidence(name));
  } else if (key == "minus") {
    test.minus = TRY(document().text(node, where));
    if (const auto known = read_selector(test.minus); !known || test.minus.contains('['))
      return document().complain(node.Mark(), where, unknown_evidence(test.minus));
  } else if (key == "by") {
    test.by = TRY(document().texts(node, where));
  } else if (key == "holding") {
    const auto read = read_conditions(TRY(document().text(node, where)));
    if (!read) return complain(node, where, read.error());
    test.holding = *read;
  } else {
    if (!test.kind.empty()) return document().complain(node.Mark(), where, "stands beside " + test.kind);
    test.kind = key;
    test.of = TRY(selector(node, where));
  }
  return {};
}

// Which keys each kind of test has; and no test that one finding more could turn into PASS.
Result<void> check_test(const Test& test, const YAML::Node& node, const std::string& where) {
  const auto wrong = [&](const std::string& what) { return document().complain(node.Mark(), where, what); };
  const bool part = test.kind == "all" || test.kind == "ratio", number = test.kind == "count" || test.kind == "ratio";
  if (test.kind.empty()) return wrong("needs one of none, any, all, count, ratio");
  if (part == test.holding.empty())
    return wrong(part ? "needs the key \"holding\"" : "holding belongs to all and ratio");
  if (number == test.op.empty()) return wrong(number ? "needs op and value" : "op belongs to count and ratio");
  const bool lower = test.op.starts_with('>');
  if (test.kind == "ratio" && !lower) return wrong("a ratio is compared with > or >=");
  if (test.kind == "ratio" && test.value > 1000) return wrong("a ratio is in per mille, at most 1000");
  if (test.kind == "count" && test.op == "<" && test.value == 0) return wrong("a count is never below 0");
  if (test.minus.empty() != test.by.empty())
    return wrong("minus needs by, the fields that must be equal, and by minus");
  if (is_adverse(test.minus)) return wrong("minus " + test.minus + " is refused: one more could raise the verdict");
  if (is_adverse(test.of.collection) && (test.kind == "any" || test.kind == "ratio" || lower))
    return wrong(test.kind + " over " + test.of.collection + " is refused: one more could raise the verdict");
  return {};
}

Result<Test> read_test(const YAML::Node& node, const std::string& where) {
  static constexpr std::string_view kKeys[] = {"none", "any",   "all",   "count",      "ratio", "holding",
                                               "op",   "value", "needs", "confidence", "minus", "by"};
  Test out;
  out.line = node.Mark().line + 1;
  TRY_VOID(document().mapping(node, where, kKeys, {},
                              [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) {
                                return read_test_key(out, key, value, where + "." + key);
                              }));
  TRY_VOID(check_test(out, node, where));
  return out;
}

Result<void> read_classes(Demand& out, const YAML::Node& node, const std::string& where) {
  out.classes = TRY(document().texts(node, where));
  const auto known = checks::network_classes();
  for (const std::string& one : out.classes)
    if (std::ranges::find(known, one) == known.end())
      return document().complain(
          node.Mark(), where,
          "unknown class \"" + one + "\" (known: " + yaml::list(known) + ")" + did_you_mean(one, known));
  return {};
}

Result<void> read_demand_key(Demand& out, const std::string& key, const YAML::Node& node, const std::string& where) {
  static constexpr std::string_view kSeverities[] = {"blocking", "advisory"};
  if (key == "ref") out.ref = TRY(document().text(node, where));
  if (key == "severity") {
    const auto severity = document().one_of(node, where, kSeverities);
    if (!severity) return std::unexpected(severity.error());
    out.blocking = *severity == kSeverities[0];
  }
  if (key == "classes") return read_classes(out, node, where);
  if (key != "check") return {};
  if (!node.IsSequence()) return document().complain(node.Mark(), where, "must be a list of tests");
  for (const YAML::Node& one : node)
    out.tests.push_back(TRY(read_test(one, where + "[" + std::to_string(out.tests.size()) + "]")));
  return {};
}

Result<void> read_demands(Policy& out, const YAML::Node& node) {
  static constexpr std::string_view kKeys[] = {"ref", "severity", "classes", "check"};
  if (!node.IsSequence()) return document().complain(node.Mark(), "requirements", "must be a list");
  for (const YAML::Node& one : node) {
    const std::string where = "requirements[" + std::to_string(out.demands.size()) + "]";
    Demand demand;
    TRY_VOID(document().mapping(one, where, kKeys, std::span(kKeys).first(1),
                                [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) {
                                  return read_demand_key(demand, key, value, where + "." + key);
                                }));
    if (std::ranges::any_of(out.demands, [&](const Demand& d) { return d.ref == demand.ref; }))
      return document().complain(one.Mark(), where, "\"" + demand.ref + "\" stands twice");
    out.demands.push_back(std::move(demand));
  }
  return {};
}

// Who may waive, by their public keys: so that the policy's digest stands for them too.
Result<void> read_approvers(Policy& out, const YAML::Node& node, const std::string& where) {
  for (const std::string& text : TRY(document().texts(node, where))) {
    const auto der = from_base64(text, where);
    if (!der) return complain(node, where, der.error());
    const auto key = public_key_from_spki(*der);
    if (!key) return complain(node, where, key.error());
    if (std::ranges::find(out.approvers, *key) != out.approvers.end())
      return document().complain(node.Mark(), where, "names the key " + key->id() + " twice");
    out.approvers.push_back(*key);
  }
  if (out.approvers.size() < 2) return document().complain(node.Mark(), where, "needs at least two keys");
  return {};
}

Result<void> read_waivers(Policy& out, const YAML::Node& node, const std::string& where) {
  static constexpr std::string_view kKeys[] = {"approvers", "most_days"};
  return document().mapping(node, where, kKeys, kKeys,
                            [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
                              if (key == "approvers") return read_approvers(out, value, where + "." + key);
                              out.most_waived_days = TRY(document().number(value, where + "." + key, 1, 366));
                              return {};
                            });
}

Result<void> read_head(Policy& out, const std::string& part, const YAML::Node& node) {
  static constexpr std::string_view kMetadata[] = {"name", "version", "title"};
  static constexpr std::string_view kDecision[] = {"level", "validity_days", "most_inconclusive", "waivers"};
  const bool metadata = part == "metadata";
  const std::span<const std::string_view> keys =
      metadata ? std::span<const std::string_view>(kMetadata) : std::span<const std::string_view>(kDecision);
  return document().mapping(node, part, keys, keys.first(2),
                            [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
                              const std::string where = part + "." + key;
                              if (key == "name") out.name = TRY(document().text(value, where));
                              if (key == "version") out.version = TRY(document().text(value, where));
                              if (key == "title") out.title = TRY(document().text(value, where));
                              if (key == "level") out.level = TRY(document().text(value, where));
                              if (key == "validity_days")
                                out.validity_days = TRY(document().number(value, where, 1, 3660));
                              if (key == "waivers") return read_waivers(out, value, where);
                              if (key == "most_inconclusive")
                                out.most_inconclusive = TRY(document().number(value, where, 0, 1000));
                              return {};
                            });
}

Result<void> check_field(const Test& test, const std::string& collection, const std::string& field) {
  const auto fields = field_names(collection);
  const std::vector<std::string_view> known(fields.begin(), fields.end());
  if (std::ranges::find(known, field) != known.end()) return {};
  return fail(Fault::kMalformed, "line " + std::to_string(test.line) + ": " + collection + " have no field \"" + field +
                                     "\" (known: " + yaml::list(known) + ")" + did_you_mean(field, known));
}

Result<void> check_fields(const Test& test) {
  for (const auto* conditions : {&test.of.conditions, &test.holding})
    for (const Condition& c : *conditions) TRY_VOID(check_field(test, test.of.collection, c.field));
  for (const std::string& field : test.by) {
    TRY_VOID(check_field(test, test.of.collection, field));
    TRY_VOID(check_field(test, test.minus, field));
  }
  return {};
}

}  // namespace

Result<void> check_fields(const Policy& policy) {
  for (const Demand& demand : policy.demands)
    for (const Test& test : demand.tests) TRY_VOID(check_fields(test));
  return {};
}

Result<Policy> read_policy(std::string_view yaml) {
  static constexpr std::string_view kKeys[] = {"apiVersion", "kind", "metadata", "requirements", "decision"};
  static constexpr std::string_view kApi[] = {"assay/v1"};
  static constexpr std::string_view kKind[] = {"CertificationPolicy"};
  Policy out;
  TRY_VOID(document().mapping(TRY(document().load(yaml)), "policy", kKeys, kKeys,
                              [&](const std::string& key, const YAML::Node& value, const YAML::Mark&) -> Result<void> {
                                if (key == "apiVersion") TRY(document().one_of(value, key, kApi));
                                if (key == "kind") TRY(document().one_of(value, key, kKind));
                                if (key == "requirements") return read_demands(out, value);
                                if (key == "metadata" || key == "decision") return read_head(out, key, value);
                                return {};
                              }));
  return out;
}

}  // namespace assay::certify
