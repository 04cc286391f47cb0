/// \file
/// The system calls of a walk, each with the flags that keep it inside of the tree.
#pragma once

#include <sys/stat.h>

#include <string>

#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive {

/// Everything of an entry that a stat tells; the path stays as it is. Symlink targets are read by read_link_at().
void fill_from_stat(const struct stat& status, Entry& entry);
/// Empty, with errno set, if it fails. Never follows, never blocks, leaves no access time behind where that is
/// permitted.
[[nodiscard]] UniqueFd open_at(int directory_fd, const char* name, int flags);
/// False, with errno set, if it fails.
[[nodiscard]] bool read_link_at(int directory_fd, const char* name, std::string& target);

}  // namespace autoarchive
