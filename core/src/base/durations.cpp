#include "autoarchive/base/durations.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace autoarchive {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kDay = 86'400;

struct Unit {
  char name;
  std::int64_t length;  // seconds
};
constexpr std::array kUnits{Unit{'w', 7 * kDay}, Unit{'d', kDay}, Unit{'h', 3600}, Unit{'m', 60}, Unit{'s', 1}};

/// Reads fixed-width numbers and separators off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<int> number(std::size_t width) {
    int value = 0;
    if (rest_.size() < width) return std::nullopt;
    const auto* end = rest_.data() + width;
    const auto parsed = std::from_chars(rest_.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || rest_.front() == '-') return std::nullopt;
    rest_.remove_prefix(width);
    return value;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Digits after the point, as nanoseconds; digits beyond the ninth are dropped.
  std::optional<std::int64_t> fraction() {
    std::int64_t value = 0;
    std::int64_t scale = 100'000'000;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value += (rest_.front() - '0') * scale;
      scale /= 10;
      any = true;
      rest_.remove_prefix(1);
    }
    return any ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool in_range(const std::tm& parts) {
  using namespace std::chrono;
  const year_month_day date(year(parts.tm_year + 1900), month(static_cast<unsigned>(parts.tm_mon + 1)),
                            day(static_cast<unsigned>(parts.tm_mday)));
  return date.ok() && parts.tm_hour < 24 && parts.tm_min < 60 && parts.tm_sec <= 60;
}

// Offset in seconds, or none for local time; nullopt inside an optional would be unclear, hence the flag.
bool read_offset(Scanner& scanner, bool& local, std::int64_t& offset) {
  local = scanner.done();
  if (local || scanner.take('Z') || scanner.take('z')) return scanner.done();
  const int sign = scanner.take('+') ? 1 : scanner.take('-') ? -1 : 0;
  const auto hours = scanner.number(2);
  const bool separated = scanner.take(':');
  const auto minutes = scanner.number(2);
  if (sign == 0 || !hours || !separated || !minutes || *hours > 23 || *minutes > 59) return false;
  offset = sign * (*hours * 3600 + *minutes * 60);
  return scanner.done();
}

// None outside of what 64 bits of nanoseconds hold: the years 1678 to 2261.
std::optional<SystemTime> from_seconds(std::int64_t count, std::int64_t nanoseconds) {
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(count, std::int64_t{1'000'000'000}, &sum) ||
      __builtin_add_overflow(sum, nanoseconds, &sum)) {
    return std::nullopt;
  }
  return SystemTime(std::chrono::nanoseconds(sum));
}

// Seconds of 0001-01-01 and 10000-01-01: the years that have four digits.
constexpr std::int64_t kYear1 = -62'135'596'800;
constexpr std::int64_t kYear10000 = 253'402'300'800;

// REQUIRES: 0 <= value < 10^width.
void append_digits(std::string& out, std::int64_t value, std::size_t width) {
  out.append(width, '0');
  for (auto place = out.rbegin(); value != 0; value /= 10) *place++ = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<seconds> parse_duration(std::string_view text) {
  if (text == "0") return seconds(0);
  if (text.size() < 2) return std::nullopt;
  std::int64_t value = 0;
  const auto* end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0 || text.front() == '-') return std::nullopt;
  for (const auto& unit : kUnits) {
    std::int64_t length = 0;
    if (unit.name != text.back()) continue;
    if (__builtin_mul_overflow(value, unit.length, &length)) return std::nullopt;
    return seconds(length);
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::duration_cast<seconds>(duration).count();
  if (whole < 10) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.1fs", std::chrono::duration<double>(duration).count());
    return buffer.data();
  }
  std::string text;
  std::int64_t rest = whole;
  int shown = 0;
  for (const auto& unit : kUnits) {
    if (unit.name == 'w') continue;
    const auto count = rest / unit.length;
    rest %= unit.length;
    if (count == 0 && shown == 0) continue;
    if (count != 0) text += (shown == 0 ? "" : " ") + std::to_string(count) + unit.name;
    if (++shown == 2) break;
  }
  return text;
}

std::string format_rfc3339(SystemTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  return format_rfc3339(whole.time_since_epoch().count(), static_cast<std::uint32_t>((time - whole).count()));
}

// By hand, as a list of a million files calls it a million times.
std::string format_rfc3339(std::int64_t count, std::uint32_t nanoseconds) {
  if (count < kYear1 || count >= kYear10000) return "@" + std::to_string(count);
  const std::chrono::sys_seconds time{seconds(count)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text;
  append_digits(text, static_cast<int>(date.year()), 4);
  append_digits(text += '-', static_cast<unsigned>(date.month()), 2);
  append_digits(text += '-', static_cast<unsigned>(date.day()), 2);
  append_digits(text += 'T', clock.hours().count(), 2);
  append_digits(text += ':', clock.minutes().count(), 2);
  append_digits(text += ':', clock.seconds().count(), 2);
  if (nanoseconds != 0) append_digits(text += '.', nanoseconds, 9);
  return text += 'Z';
}

std::optional<SystemTime> parse_time(std::string_view text) {
  Scanner scanner(text);
  const auto year = scanner.number(4);
  const bool dash1 = scanner.take('-');
  const auto month = scanner.number(2);
  const bool dash2 = scanner.take('-');
  const auto day = scanner.number(2);
  if (!year || !dash1 || !month || !dash2 || !day) return std::nullopt;
  std::tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_isdst = -1;
  std::int64_t nanoseconds = 0;
  if (scanner.take('T') || scanner.take('t')) {
    const auto hour = scanner.number(2);
    const bool colon = scanner.take(':');
    const auto minute = scanner.number(2);
    if (!hour || !colon || !minute) return std::nullopt;
    parts.tm_hour = *hour;
    parts.tm_min = *minute;
    if (scanner.take(':')) {
      const auto second = scanner.number(2);
      if (!second) return std::nullopt;
      parts.tm_sec = *second;
    }
    if (scanner.take('.')) {
      const auto fraction = scanner.fraction();
      if (!fraction) return std::nullopt;
      nanoseconds = *fraction;
    }
  }
  bool local = false;
  std::int64_t offset = 0;
  if (!in_range(parts) || !read_offset(scanner, local, offset)) return std::nullopt;
  if (local) return from_seconds(::mktime(&parts), nanoseconds);
  return from_seconds(::timegm(&parts) - offset, nanoseconds);
}

}  // namespace autoarchive
