/// \file
/// What stat() does not tell: extended attributes and the names of owners.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive {

/// Which attributes a backup keeps. All are on unless switched off.
struct MetadataOptions {
  bool xattrs = true;       ///< user.*, trusted.*, security.capability and all others that are not named below
  bool acls = true;         ///< system.posix_acl_access and system.posix_acl_default
  bool selinux = true;      ///< security.selinux
  bool owner_names = true;  ///< names beside the numbers
  bool sparse = true;       ///< holes are stored as holes
  bool nanoseconds = true;  ///< sub-second modification times
  friend bool operator==(const MetadataOptions&, const MetadataOptions&) = default;
};

/// Attributes of an open file or directory, sorted by name. Empty where the file system has none.
/// Sets `*os_errno` to 0, or to why some could not be read (what could be read is returned). Thread-safe.
[[nodiscard]] AA_EXPORT std::vector<Xattr> read_xattrs(int fd, const MetadataOptions& options, int* os_errno);
/// The same for `name` in the directory `directory_fd`, without following a symlink and without opening it.
[[nodiscard]] AA_EXPORT std::vector<Xattr> read_xattrs_at(int directory_fd, const std::string& name,
                                                          const MetadataOptions& options, int* os_errno);

/// Looks names of users and groups up once each. Not thread-safe.
class AA_EXPORT OwnerNames {
 public:
  OwnerNames();
  ~OwnerNames();
  OwnerNames(const OwnerNames&) = delete;
  OwnerNames& operator=(const OwnerNames&) = delete;

  /// Empty if the number has no name. The reference is valid as long as this object lives.
  [[nodiscard]] const std::string& user(std::uint32_t uid);
  [[nodiscard]] const std::string& group(std::uint32_t gid);
  /// -1 if the name has no number. For restoring by name.
  [[nodiscard]] std::int64_t uid(const std::string& user);
  [[nodiscard]] std::int64_t gid(const std::string& group);

 private:
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace autoarchive
