/// \file
/// Values that a configuration names and does not hold, such as passwords: "${file:/etc/autoarchive/key}" is what
/// stands in that file, "${env:KEY}" is a variable. They are read when a provider is made, and never shown.
#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"

namespace autoarchive::host {

[[nodiscard]] bool is_secret_reference(std::string_view text);

/// The value: the file without the line's end, or the variable. The file has to be a regular one of at most 64 KiB that
/// only its owner can read, and the owner has to be this user or root. Throws Error(cause unavailable) with the place,
/// and never with any of the value. REQUIRES: is_secret_reference().
[[nodiscard]] std::string resolve_secret(std::string_view reference, const Origin& origin);

}  // namespace autoarchive::host
