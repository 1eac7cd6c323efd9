#include "certify/reason.h"

#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

std::string text_of(const Condition& c) {
  if (c.days_since) return "days_since(" + c.field + ") " + c.op + " " + c.value[0];
  if (c.op != "in") return c.field + " " + c.op + " " + c.value[0];
  std::string values;
  for (const std::string& one : c.value) values += (values.empty() ? "" : ", ") + one;
  return c.field + " in (" + values + ")";
}

std::string text_of(const std::vector<Condition>& all) {
  std::string out;
  for (const Condition& c : all) out += (out.empty() ? "" : " and ") + text_of(c);
  return out;
}

// A test over findings lists its rules, many of them; those that spoke stand beside their number.
std::string text_of(const Selector& of) {
  const bool by_rule = std::ranges::any_of(of.conditions, [](const Condition& c) { return c.field == "rule"; });
  return of.collection + (by_rule || of.conditions.empty() ? "" : "[" + text_of(of.conditions) + "]");
}

// Another tool may have thousands of rules.
std::string names(const std::map<std::string, uint64_t>& rules) {
  constexpr size_t kMost = 12;
  std::string out;
  size_t left = rules.size();
  for (const auto& [rule, n] : rules) {
    if (rules.size() - left == kMost) return " (" + out + ", " + std::to_string(left) + " rules more)";
    out += (out.empty() ? "" : ", ") + (n > 1 ? std::to_string(n) + " " : "") + rule;
    --left;
  }
  return out.empty() ? "" : " (" + out + ")";
}

std::string perhaps(const Tally& t) {
  if (t.maybe == 0) return "";
  return ", perhaps " + std::to_string(t.maybe) + (t.yes > 0 ? " more" : "") + names(t.maybe_rules);
}

std::string seen(const Tally& t) {
  return (t.yes > 0 ? std::to_string(t.yes) : std::string("none")) + " seen" + names(t.yes_rules) + perhaps(t);
}

std::string have_it(const Tally& t) {
  if (t.total == 0) return "there are none";
  return std::to_string(t.yes) + " of " + std::to_string(t.total) + (t.yes == 1 ? " has it" : " have it") + perhaps(t);
}

std::string wanted(const Test& test) {
  const std::string number = test.op + " " + std::to_string(test.value);
  if (test.kind == "none") return "none allowed, ";
  if (test.kind == "any") return "at least one needed, ";
  if (test.kind == "count") return number + (test.op.starts_with('<') ? " allowed, " : " needed, ");
  return text_of(test.holding) + " needed of " + (test.kind == "all" ? "all" : number + " in 1000") + ", ";
}

std::map<std::string, uint64_t> shown(const std::string& collection, const std::map<std::string, uint64_t>& rules) {
  std::map<std::string, uint64_t> out;
  for (const auto& [rule, n] : rules) out[certify::shown(collection, rule)] += n;
  return out;
}

}  // namespace

std::string shown(const std::string& collection, const std::string& text) {
  const bool outside =
      collection == "external_findings" || collection == "manual" || collection.starts_with("observed_ports.");
  return outside ? escape(text) : text;
}

std::string reason_of(const Test& test, const Tally& tally) {
  const bool part = test.kind == "all" || test.kind == "ratio";
  const std::string minus = test.minus.empty() ? "" : " minus " + test.minus;
  Tally printable = tally;
  for (auto* rules : {&printable.yes_rules, &printable.maybe_rules}) *rules = shown(test.of.collection, *rules);
  return escape(text_of(test.of) + minus + ": " + wanted(test)) + (part ? have_it(printable) : seen(printable));
}

}  // namespace assay::certify
