/// \file
/// Reads the names of one directory and decides which of them the walk takes.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autoarchive/tree/entry.hpp"
#include "autoarchive/tree/filter.hpp"

namespace autoarchive {

/// A name in a directory and what becomes of it.
struct Child {
  std::string name;
  std::string rule;  ///< why it is left out, if it is
  bool excluded = false;
  bool in_names = true;  ///< belongs to the directory's list: not excluded, and can be stored
  bool is_directory = false;
  EntryKind kind = EntryKind::unknown;  ///< as the directory tells it, which not every file system does
};

/// Files that a walk leaves out without a word, by device and inode.
class OwnFiles {
 public:
  explicit OwnFiles(std::set<std::pair<std::uint64_t, std::uint64_t>> files);
  /// Cheap: false if no such inode is among them on any device.
  [[nodiscard]] bool may_contain(std::uint64_t inode) const { return inodes_.contains(inode); }
  [[nodiscard]] bool contains(std::uint64_t device, std::uint64_t inode) const {
    return files_.contains({device, inode});
  }

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> files_;
  std::unordered_set<std::uint64_t> inodes_;
};

/// The children of one directory, sorted by name.
struct DirectoryListing {
  std::vector<Child> children;
  int os_errno = 0;  ///< not 0: the listing was cut short
};

/// Lists the open directory `fd`, whose path below the root is `path`. Entries of `own_files` are not in the result at
/// all.
[[nodiscard]] DirectoryListing list_directory(int fd, const std::string& path, const Filter& filter,
                                              const OwnFiles& own_files);

/// "a" and "b" are "a/b"; a directory of "." adds nothing.
[[nodiscard]] std::string join_path(const std::string& directory, const std::string& name);

}  // namespace autoarchive
