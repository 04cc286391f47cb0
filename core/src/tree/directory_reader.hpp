/// \file
/// Reads the names of one directory and decides which of them the walk takes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/tree/filter.hpp"

namespace autoarchive {

/// A name in a directory and what becomes of it.
struct Child {
  std::string name;
  std::string rule;  ///< why it is left out, if it is
  bool excluded = false;
  bool in_names = true;  ///< belongs to the directory's list: not excluded, and can be stored
};

/// The children of one directory, sorted by name.
struct DirectoryListing {
  std::vector<Child> children;
  int os_errno = 0;  ///< not 0: the listing was cut short
};

/// Lists the open directory `fd`, whose path below the root is `path`. Entries of `own_files` are not in the result at
/// all.
[[nodiscard]] DirectoryListing list_directory(int fd, const std::string& path, const Filter& filter,
                                              const std::set<std::pair<std::uint64_t, std::uint64_t>>& own_files);

/// "a" and "b" are "a/b"; a directory of "." adds nothing.
[[nodiscard]] std::string join_path(const std::string& directory, const std::string& name);

}  // namespace autoarchive
