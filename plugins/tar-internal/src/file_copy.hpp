/// \file
/// A second file in the place of a second name, where there can be none.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "attribute_setter.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/entry.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {

/// Reads a file that is in the target, with its attributes and its holes. Not thread-safe.
class FileCopy {
 public:
  /// Opens the file without following a symlink. What is no regular file is not opened.
  FileCopy(int parent, const std::string& name);
  /// 0, or why it can't be copied, or not to its end. EINVAL: it is no regular file.
  [[nodiscard]] int os_errno() const noexcept { return os_errno_; }
  /// What the copy at `path` gets. REQUIRES: os_errno() was 0.
  [[nodiscard]] Entry entry(const std::string& path);
  [[nodiscard]] RestoredOwner owner() const noexcept { return {status_.st_uid, status_.st_gid}; }
  /// In order; what lies between the pieces is a hole. False at the end, and where it can't be read: os_errno().
  [[nodiscard]] bool next(ContentPiece& piece);

 private:
  [[nodiscard]] int open(int parent, const std::string& name);
  [[nodiscard]] bool find_data();
  bool fail(int os_errno) noexcept;

  UniqueFd fd_;
  struct stat status_ {};
  int os_errno_ = 0;
  off_t at_ = 0;
  off_t data_end_ = 0;
  std::array<std::byte, std::size_t{64} << 10U> buffer_{};
};

}  // namespace autoarchive::tar_internal
