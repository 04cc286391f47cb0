/// \file
/// pax extended header records (IEEE Std 1003.1, "pax Extended Header"): "LENGTH KEY=VALUE\n", where LENGTH counts the
/// whole record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/tree/entry.hpp"

namespace autoarchive::tar_internal {

/// Collects records.
class PaxRecords {
 public:
  /// Any bytes are allowed in the value.
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, std::uint64_t value) { add(key, std::to_string(value)); }
  /// Seconds, and nanoseconds where there are some: "1700000000.000000123", "-1.5".
  void add_time(std::string_view key, const Timestamp& time);
  /// SCHILY.xattr.NAME, SCHILY.acl.access and .default, RHT.security.selinux: as GNU tar and bsdtar write them.
  void add_xattr(const Xattr& xattr);

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  void clear() noexcept { text_.clear(); }

 private:
  std::string text_;
};

/// The time of a record; none if it is none.
[[nodiscard]] std::optional<Timestamp> parse_pax_time(std::string_view text);
/// Takes the first record off `rest`. False if there is no whole record.
[[nodiscard]] bool next_pax_record(std::string_view& rest, std::string_view& key, std::string_view& value);

}  // namespace autoarchive::tar_internal
