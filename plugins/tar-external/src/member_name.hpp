/// \file
/// Paths of the tree as names of tar's members, and back.
#pragma once

#include <string>
#include <string_view>

namespace autoarchive::tar_external {

/// The name under which tar is asked for `path`: the path itself, or with "./" before it; "." stays.
[[nodiscard]] std::string member_name(std::string_view path, bool with_dot);
/// The path of a member, e.g. "alice/mail" for "./alice/mail/"; "." for "./".
[[nodiscard]] std::string path_of_member(std::string_view name);
/// The path of the directory that has `path`: "." for "alice". REQUIRES: it is not ".".
[[nodiscard]] std::string_view parent_of(std::string_view path);
/// Whether `path` lies below `directory`, at any depth.
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);
/// Its last component.
[[nodiscard]] std::string_view base_name(std::string_view path);

}  // namespace autoarchive::tar_external
