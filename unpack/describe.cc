// See describe.h. The calendar is computed, not asked of the C library: no locale, no time zone, no environment.
#include "unpack/describe.h"

#include <chrono>
#include <cstdio>

namespace assay::unpack {

std::string hex_number(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string utc_time(uint64_t seconds) {
  const std::chrono::sys_days day{std::chrono::days(seconds / 86400)};
  const std::chrono::year_month_day date(day);
  const uint64_t rest = seconds % 86400;
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02u:%02u:%02u UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<unsigned>(rest / 3600), static_cast<unsigned>(rest / 60 % 60),
                static_cast<unsigned>(rest % 60));
  return text;
}

Result<void> between(Bytes whole, uint64_t from, uint64_t to, std::string_view name, Sink& into) {
  if (to > whole.size()) to = whole.size();
  if (from >= to) return {};
  const Bytes part = whole.head(to - from, from);
  if (is_run(part)) {
    into.range(Range::kPadding, from, to - from);
    return {};
  }
  return into.child(name, stored(part));
}

}  // namespace assay::unpack
