/// \file
/// One spelling for each path, and which lies in which.
#pragma once

#include <filesystem>
#include <system_error>

namespace autoarchive::host {

/// Without "..", "//" and a "/" at the end, by its text alone: "/a/../b/" is "/b".
[[nodiscard]] inline std::filesystem::path plain_path(const std::filesystem::path& given) {
  auto path = given.lexically_normal();
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

/// Whether `path` is `directory` or lies in it, with all links resolved; neither need be there. False where that can't
/// be told.
[[nodiscard]] inline bool lies_in(const std::filesystem::path& path, const std::filesystem::path& directory) {
  std::error_code error;
  const auto relative = std::filesystem::weakly_canonical(path, error)
                            .lexically_relative(std::filesystem::weakly_canonical(directory, error));
  return !error && !relative.empty() && *relative.begin() != "..";
}

}  // namespace autoarchive::host
