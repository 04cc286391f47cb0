/// \file
/// The version of the library that is running.
#pragma once

#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// e.g. "0.1.0". That of the loaded library, not of the headers.
[[nodiscard]] AA_EXPORT std::string_view version() noexcept;

}  // namespace autoarchive
