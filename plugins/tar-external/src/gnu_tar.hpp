/// \file
/// Finds GNU tar and the compressors, and asks tar who it is.
#pragma once

#include <string>
#include <string_view>

#include "autoarchive/archiver/archiver_identification.hpp"

namespace autoarchive::tar_external {

/// Where programs are looked for; the environment's PATH is not trusted.
inline constexpr std::string_view kProgramPath = "/usr/bin:/bin:/usr/local/bin";

/// Absolute path of an executable file, or empty.
[[nodiscard]] std::string find_program(std::string_view name);

/// Whether the tar at `program` (empty: the one that is found) is GNU tar of at least 1.28. Runs it once with
/// --version.
[[nodiscard]] Availability check_tar(const std::string& program);

/// The compressor's name for a type's extension, e.g. "gzip"; empty for plain tar.
[[nodiscard]] std::string_view compressor_of(std::string_view extension);

}  // namespace autoarchive::tar_external
