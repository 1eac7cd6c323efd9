#include "report/words.h"

#include <fmt/format.h>

#include <chrono>

namespace assay::report {

std::string date_of(int64_t seconds) {
  constexpr int64_t kDay = 86400, kFarthest = 100'000'000'000;  // year 5138: beyond it a field is not a date
  if (seconds > kFarthest || seconds < -kFarthest) return fmt::format("{} s since 1970", seconds);
  const int64_t days = seconds >= 0 ? seconds / kDay : -((-seconds + kDay - 1) / kDay);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace assay::report
