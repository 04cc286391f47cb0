/// \file
/// Paths of members, as safe_member_path() gives them: relative, with single slashes; "." is the root.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace autoarchive::tar_internal {

/// The path of a name in a directory, which may be ".".
[[nodiscard]] std::string join(const std::string& directory, const std::string& name);
/// The directory that the path is in, which may be ".".
[[nodiscard]] std::string_view directory_of(std::string_view path);
/// "a/b" is below "a" and below "."; "a" itself counts.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);
/// Stands for the path where millions of them are remembered.
[[nodiscard]] inline std::size_t hash_of(std::string_view path) noexcept {
  return std::hash<std::string_view>()(path);
}

}  // namespace autoarchive::tar_internal
