/// \file
/// A directory by its descriptor, and the few changes that a commit makes in one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive {

/// What a file is, whatever its name: for "is this step done?" after a crash.
struct FileIdentity {
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  /// SHA-256 over the first and last 64 KiB: stands in where inodes change when a file system is mounted again.
  /// Archives carry their unique id in their first block.
  std::string probe;

  /// Same size, and the same inode or the same content at both ends.
  [[nodiscard]] bool matches(const FileIdentity& other) const noexcept {
    return size == other.size && (inode == other.inode || probe == other.probe);
  }
};

/// All names are relative to the directory, which cannot be swapped for another one meanwhile. Throws Error with the
/// cause that was given. Movable.
class Directory {
 public:
  /// Throws Error(cause) if it is missing or not a directory.
  Directory(const std::filesystem::path& path, ErrorCause cause);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::string description(const std::string& name) const;

  /// None if there is no such regular file. Never follows a symlink.
  [[nodiscard]] std::optional<FileIdentity> identify(const std::string& name) const;
  [[nodiscard]] bool exists(const std::string& name) const;
  /// Replaces `to`.
  void rename(const std::string& from, const std::string& to) const;
  /// Throws file_exists rather than replace `to`.
  void rename_new(const std::string& from, const std::string& to) const;
  /// False where the file system has no hard links. Throws file_exists if `to` is there.
  [[nodiscard]] bool link(const std::string& from, const std::string& to) const;
  /// Missing is fine.
  void remove(const std::string& name) const;
  /// A new file of mode 0600.
  [[nodiscard]] UniqueFd create(const std::string& name) const;
  /// Makes what was renamed, linked and removed durable, where the file system can.
  void sync() const;

 private:
  std::filesystem::path path_;
  ErrorCause cause_;
  UniqueFd fd_;
};

}  // namespace autoarchive
