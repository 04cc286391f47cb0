/// \file
/// Sizes in bytes: a type of their own, literals, and their text.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// A view of raw bytes; the caller keeps them alive during the call.
using ByteView = std::span<const std::byte>;

/// A number of bytes.
struct Bytes {
  std::uint64_t count = 0;
  friend constexpr auto operator<=>(Bytes, Bytes) = default;
};

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) {
  return {n};
}
constexpr Bytes operator""_KiB(unsigned long long n) {
  return {n << 10U};
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return {n << 20U};
}
constexpr Bytes operator""_GiB(unsigned long long n) {
  return {n << 30U};
}
}  // namespace literals

/// Reads "4096", "100MB" (powers of 1000), "4GiB" (powers of 1024), "1.5GiB". None if it is not a size or overflows.
[[nodiscard]] AA_EXPORT std::optional<Bytes> parse_bytes(std::string_view text);
/// For people, e.g. "1.3 GiB", "812 B".
[[nodiscard]] AA_EXPORT std::string format_bytes(Bytes size);

}  // namespace autoarchive
