// See conditions.h. Numbers are unsigned decimals; days are counted from midnight to midnight, UTC.
#include "certify/conditions.h"

#include "core/date.h"

#include <algorithm>
#include <charconv>

namespace assay::certify {
namespace {

constexpr int64_t kDay = 86400;

template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Keys have these fields in seconds since 1970; everywhere else a day is written YYYY-MM-DD, and a number is none.
bool is_time(const std::string& field) { return field == "not_before" || field == "not_after"; }

// Midnight of the day, in seconds since 1970. Within what a date can be, so that differences never overflow.
std::optional<int64_t> day_of(const std::string& field, const std::string& text) {
  if (const auto day = seconds_of_date(text)) return *day;
  const auto time = is_time(field) ? number_of<int64_t>(text) : std::nullopt;
  if (!time || *time > kFarthestTime || *time < -kFarthestTime) return std::nullopt;
  return *time - (*time % kDay + kDay) % kDay;
}

template <class Number>
Holds compared(std::optional<Number> a, const std::string& op, std::optional<Number> b) {
  if (!a || !b) return Holds::kMaybe;
  const bool yes = op == "<" ? *a < *b : op == "<=" ? *a <= *b : op == ">" ? *a > *b : *a >= *b;
  return yes ? Holds::kYes : Holds::kNo;
}

Holds compare_days(const Condition& c, const std::string& have, const std::string& as_of) {
  const auto from = day_of(c.field, have), to = day_of("", as_of);
  const auto days = from && to ? std::optional((*to - *from) / kDay) : std::nullopt;
  return compared(days, c.op, number_of<int64_t>(c.value[0]));
}

Holds holds(const Condition& c, const Record& record, const std::string& as_of) {
  const std::string* have = known_value(record, c.field);
  if (!have) return Holds::kMaybe;
  const auto known = [](bool yes) { return yes ? Holds::kYes : Holds::kNo; };
  if (c.op == "==" || c.op == "in") return known(std::ranges::find(c.value, *have) != c.value.end());
  if (c.op == "!=") return known(*have != c.value[0]);
  if (c.op == "^=") return known(have->starts_with(c.value[0]));
  if (c.days_since) return compare_days(c, *have, as_of);
  return compared(number_of<uint64_t>(*have), c.op, number_of<uint64_t>(c.value[0]));
}

}  // namespace

const std::string* known_value(const Record& record, const std::string& field) {
  const auto at = record.fields.find(field);
  return at == record.fields.end() || at->second.empty() || at->second == "unknown" ? nullptr : &at->second;
}

Holds holds(const std::vector<Condition>& all, const Record& record, const std::string& as_of) {
  Holds out = Holds::kYes;
  for (const Condition& c : all) out = std::min(out, holds(c, record, as_of));
  return out;
}

}  // namespace assay::certify
