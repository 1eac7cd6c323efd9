#include "core/date.h"

#include "core/text.h"

#include <chrono>
#include <cstdio>

namespace assay {
namespace {

// "0000-00-00" with digits where the zeros stand.
bool has_shape(std::string_view date) {
  if (date.size() != 10) return false;
  for (size_t i = 0; i < date.size(); ++i)
    if (i == 4 || i == 7 ? date[i] != '-' : date[i] < '0' || date[i] > '9') return false;
  return true;
}

unsigned number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

}  // namespace

std::string date_of(int64_t seconds) {
  using namespace std::chrono;
  if (seconds > kFarthestTime || seconds < -kFarthestTime) return std::to_string(seconds) + " s since 1970";
  const year_month_day date(floor<days>(sys_seconds(std::chrono::seconds(seconds))));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

Result<int64_t> seconds_of_date(std::string_view date) {
  using namespace std::chrono;
  if (has_shape(date)) {
    const year_month_day parsed(year(static_cast<int>(number(date.substr(0, 4)))), month(number(date.substr(5, 2))),
                                day(number(date.substr(8, 2))));
    if (parsed.ok()) return duration_cast<seconds>(sys_days(parsed).time_since_epoch()).count();
  }
  return fail(Fault::kMalformed, "date \"" + escape(date) + "\" is no day of the form YYYY-MM-DD");
}

}  // namespace assay
