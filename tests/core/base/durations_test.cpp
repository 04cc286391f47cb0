#include "autoarchive/base/durations.hpp"

#include <gtest/gtest.h>

namespace autoarchive {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("45s"), 45s);
  EXPECT_EQ(parse_duration("90m"), 90min);
  EXPECT_EQ(parse_duration("26h"), 26h);
  EXPECT_EQ(parse_duration("14d"), 14 * 24h);
  EXPECT_EQ(parse_duration("0"), 0s);
  for (const char* text : {"", "5", "-1h", "h", "1.5h", "5y", "99999999999999999w"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Durations, AreShownInTheTwoLargestUnits) {
  EXPECT_EQ(format_duration(3200ms), "3.2s");
  EXPECT_EQ(format_duration(65s), "1m 5s");
  EXPECT_EQ(format_duration(2h + 5min + 9s), "2h 5m");
  EXPECT_EQ(format_duration(14 * 24h), "14d");
}

TEST(Times, SurviveRfc3339) {
  const SystemTime time(std::chrono::seconds(1'700'000'000) + 120ns);
  EXPECT_EQ(format_rfc3339(time), "2023-11-14T22:13:20.000000120Z");
  EXPECT_EQ(parse_time(format_rfc3339(time)), time);
  const SystemTime before(std::chrono::seconds(-1) + 500ms);
  EXPECT_EQ(format_rfc3339(before), "1969-12-31T23:59:59.500000000Z");
  EXPECT_EQ(parse_time(format_rfc3339(before)), before);
  EXPECT_EQ(format_rfc3339(SystemTime()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(SystemTime(std::chrono::seconds(951'782'399))), "2000-02-28T23:59:59Z");
  EXPECT_EQ(format_rfc3339(SystemTime(std::chrono::seconds(951'782'400))), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_rfc3339(9'223'372'036, 854'775'807), format_rfc3339(SystemTime::max()));
  EXPECT_EQ(format_rfc3339(-62'135'596'800, 0), "0001-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(253'402'300'799, 999'999'999), "9999-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339(253'402'300'800, 0), "@253402300800");
  EXPECT_EQ(format_rfc3339(std::numeric_limits<std::int64_t>::min(), 1), "@-9223372036854775808");
}

TEST(Times, TakeOffsetsAndRefuseNonsense) {
  EXPECT_EQ(parse_time("2023-11-14T23:13:20+01:00"), parse_time("2023-11-14T22:13:20Z"));
  EXPECT_TRUE(parse_time("2026-11-01"));
  EXPECT_TRUE(parse_time("2026-11-01T03:00") && parse_time("2024-02-29"));
  EXPECT_TRUE(parse_time("1678-01-01T00:00Z") && parse_time("2261-12-31T23:59:59Z"));
  for (const char* text :
       {"0001-01-01", "1677-01-01T00:00Z", "2263-01-01T00:00Z", "9999-12-31", "", "2026", "2026-13-01", "2026-11-31",
        "2026-02-29", "2026-11-01T", "2026-11-01T25:00", "2026-11-01T03:00Zx", "2026-11-01T03:00+1"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace autoarchive
