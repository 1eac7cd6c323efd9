// Times as MS-DOS keeps them: in no zone, to two seconds; read as UTC.
#pragma once
#include <chrono>
#include <optional>

namespace assay::unpack {

// date: 7 bits years since 1980, 4 month, 5 day; time: 5 bits hours, 6 minutes, 5 seconds by 2. None: no such day.
inline std::optional<int64_t> dos_time(uint32_t date, uint32_t time) {
  using namespace std::chrono;
  const year_month_day stated{year(static_cast<int>(1980 + (date >> 9))), month(date >> 5 & 15), day(date & 31)};
  if (!stated.ok()) return std::nullopt;
  const int64_t seconds = (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
  return sys_days(stated).time_since_epoch().count() * int64_t{86400} + seconds;
}

}  // namespace assay::unpack
