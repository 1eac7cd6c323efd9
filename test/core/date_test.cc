// Days as reports write them and options give them.
#include "core/date.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Date, OfSeconds) {
  EXPECT_EQ(date_of(0), "1970-01-01");
  EXPECT_EQ(date_of(-1), "1969-12-31");
  EXPECT_EQ(date_of(951782400), "2000-02-29");
  EXPECT_EQ(date_of(4102444799), "2099-12-31");
  EXPECT_EQ(date_of(int64_t{1} << 62), "4611686018427387904 s since 1970");
}

TEST(Date, ToSecondsAndBack) {
  for (const char* day : {"1970-01-01", "2000-02-29", "2026-11-22", "1969-12-31", "0001-01-01"}) {
    const auto seconds = seconds_of_date(day);
    ASSERT_TRUE(seconds) << day;
    EXPECT_EQ(*seconds % 86400, 0) << day;
    EXPECT_EQ(date_of(*seconds), day);
  }
  EXPECT_EQ(*seconds_of_date("2000-02-29"), 951782400);
}

TEST(Date, NoSuchDay) {
  for (const char* text : {"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "2026-01-011", "20260101",
                           " 2026-01-1", "2026-01-0x", "2026/01/01"})
    EXPECT_FALSE(seconds_of_date(text)) << text;
}

}  // namespace
}  // namespace assay
