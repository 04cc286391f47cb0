/// \file
/// Spans and points of time as text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

using SystemTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// Reads "45s", "90m", "26h", "14d", "2w", "0"; one number and one unit, not negative. None otherwise.
[[nodiscard]] AA_EXPORT std::optional<std::chrono::seconds> parse_duration(std::string_view text);
/// For people, the two largest units: "2h 5m", "14d", "3.2s" below ten seconds.
[[nodiscard]] AA_EXPORT std::string format_duration(std::chrono::nanoseconds duration);

/// RFC 3339 in UTC with nanoseconds where they are not zero: "2026-11-24T09:41:00Z", "2026-11-24T09:41:00.000000120Z".
[[nodiscard]] AA_EXPORT std::string format_rfc3339(SystemTime time);
/// The same of seconds since 1970 and nanoseconds, as files have them: also of years that SystemTime can't hold; beyond
/// the years 1 to 9999 as "@SECONDS".
[[nodiscard]] AA_EXPORT std::string format_rfc3339(std::int64_t seconds, std::uint32_t nanoseconds);
/// The inverse; accepts any offset, and a local date "2026-11-01" or date and time "2026-11-01T03:00[:00]" without one.
/// None also outside of the years 1678 to 2261, which no SystemTime can be.
[[nodiscard]] AA_EXPORT std::optional<SystemTime> parse_time(std::string_view text);

}  // namespace autoarchive
