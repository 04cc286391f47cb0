/// \file
/// The text of a pax extended header: "LENGTH KEY=VALUE\n" for each record, LENGTH counting all of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autoarchive::tar_external {

/// The last value of `key`, a view into `records`; none if there is no such record. Throws Error(runtime_error) if
/// `records` is no such text.
[[nodiscard]] std::optional<std::string_view> pax_value(std::string_view records, std::string_view key);

/// `records` without those of `key`, and with a new one at the end unless `value` is empty. Throws as above.
[[nodiscard]] std::string replace_pax_record(std::string_view records, std::string_view key,
                                             std::optional<std::string_view> value);

}  // namespace autoarchive::tar_external
