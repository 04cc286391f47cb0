/// \file
/// Small files of our own: written whole and durable, or not at all, and for nobody else's eyes.
#pragma once

#include <filesystem>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Puts `content` under this name with mode 0600: temporary file, sync, rename, sync of the directory. What was there
/// stays until the new file is complete. Throws Error(os_error) that names the file.
AA_EXPORT void write_private_file(const std::filesystem::path& file, ByteView content);

}  // namespace autoarchive
