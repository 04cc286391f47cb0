#include "autoarchive/base/bytes.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace autoarchive {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kUnits{Unit{"", 1},         Unit{"B", 1},        Unit{"kB", 1e3},    Unit{"KB", 1e3},
                            Unit{"MB", 1e6},     Unit{"GB", 1e9},     Unit{"TB", 1e12},   Unit{"KiB", 1024.0},
                            Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30}, Unit{"TiB", 0x1p40}};

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789.");
  const auto number = text.substr(0, digits);
  auto unit = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  if (number.empty() || number.front() == '.') return std::nullopt;
  for (const auto& known : kUnits) {
    if (known.name != unit) continue;
    std::uint64_t whole = 0;
    const auto* end = number.data() + number.size();
    if (const auto parsed = std::from_chars(number.data(), end, whole); parsed.ptr == end && known.factor == 1) {
      return parsed.ec == std::errc() ? std::optional(Bytes{whole}) : std::nullopt;
    }
    double value = 0;
    const auto parsed = std::from_chars(number.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    const double bytes = std::floor(value * known.factor);
    if (bytes >= 0x1p64) return std::nullopt;
    return Bytes{static_cast<std::uint64_t>(bytes)};
  }
  return std::nullopt;
}

std::string format_bytes(Bytes size) {
  constexpr std::array kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size.count < 1024) return std::to_string(size.count) + " B";
  double value = static_cast<double>(size.count) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", value, kNames.at(unit));
  return buffer.data();
}

}  // namespace autoarchive
