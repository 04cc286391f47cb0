/// \file
/// One object of a file tree and all that a backup keeps of it, apart from its content.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

enum class EntryKind : std::uint8_t {
  file,
  directory,
  symlink,
  fifo,
  character_device,
  block_device,
  socket,   ///< never stored
  unknown,  ///< never stored
};

/// "file", "directory", "symlink", "fifo", "character_device", "block_device", "socket", "unknown".
[[nodiscard]] AA_EXPORT std::string_view to_string(EntryKind kind) noexcept;
/// From st_mode's file type bits.
[[nodiscard]] AA_EXPORT EntryKind kind_of(mode_t mode) noexcept;

/// A point in time as the kernel keeps it; nanoseconds 0..999999999 also before 1970.
struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// An extended attribute; name with its namespace, e.g. "user.comment"; value as raw bytes.
struct Xattr {
  std::string name;
  std::string value;
  friend auto operator<=>(const Xattr&, const Xattr&) = default;
};

/// A plain value. Strings are bytes in no particular encoding.
struct Entry {
  /// Relative to the root, no leading "./", no trailing slash, e.g. "alice/mail"; "." is the root itself.
  std::string path;
  EntryKind kind = EntryKind::unknown;
  std::uint32_t mode = 0;  ///< permission, set-id and sticky bits only (07777)
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;        ///< empty: no name known
  std::string group;       ///< empty: no name known
  std::uint64_t size = 0;  ///< content bytes of a file; 0 for all other kinds
  Timestamp mtime;
  Timestamp ctime;
  std::uint64_t device = 0;  ///< st_dev; not comparable between boots
  std::uint64_t inode = 0;
  std::uint64_t link_count = 1;
  std::uint32_t rdev_major = 0;  ///< devices only
  std::uint32_t rdev_minor = 0;
  std::string link_target;    ///< symlinks only
  std::vector<Xattr> xattrs;  ///< sorted by name; POSIX ACLs are in it as system.posix_acl_*

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Walk order: names of a directory by bytes, a directory directly followed by its contents; "." is first.
[[nodiscard]] AA_EXPORT std::strong_ordering compare_paths(std::string_view a, std::string_view b) noexcept;

/// Removes "./", empty and "." components and trailing slashes: "./a//b/" is "a/b", "." and "" are ".".
/// Throws Error(value_error) for absolute paths, "..", and NUL bytes.
[[nodiscard]] AA_EXPORT std::string normalize_path(std::string_view path);

}  // namespace autoarchive
