// Days of the proleptic Gregorian calendar as the reports write them (RFC 3339 full-date) and as facts hold them.
#pragma once
#include "core/result.h"

namespace assay {

inline constexpr int64_t kFarthestTime = 100'000'000'000;  // seconds, the year 5138: beyond it a field is no date

std::string date_of(int64_t seconds);  // since 1970, UTC -> "YYYY-MM-DD"; far beyond our era: "N s since 1970"
Result<int64_t> seconds_of_date(std::string_view date);  // "YYYY-MM-DD" -> midnight UTC; kMalformed: no such day

}  // namespace assay
