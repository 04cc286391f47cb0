/// \file
/// One spelling for each path.
#pragma once

#include <filesystem>

namespace autoarchive::host {

/// Without "..", "//" and a "/" at the end, by its text alone: "/a/../b/" is "/b".
[[nodiscard]] inline std::filesystem::path plain_path(const std::filesystem::path& given) {
  auto path = given.lexically_normal();
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

}  // namespace autoarchive::host
