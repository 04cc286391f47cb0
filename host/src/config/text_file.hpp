/// \file
/// A file of configuration as text, before anything in it is looked at: what is no such file, or could hide something
/// from whoever reads it on a screen, is refused here.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

/// Reads a regular file of at most 1 MiB; a FIFO or a device is not even opened. As root, one that others could have
/// written or put there is refused. Throws Error(cause configuration).
[[nodiscard]] std::string read_config_text(const std::filesystem::path& file, bool as_root);

/// Throws config_error() with the place if the text is longer than 1 MiB, is not UTF-8, or has control characters.
void check_config_text(std::string_view text, const std::string& file);

/// Error(value_error, cause configuration): "FILE:LINE:COLUMN: text".
[[nodiscard]] Error config_error(const Origin& origin, const std::string& text);

}  // namespace autoarchive::host
