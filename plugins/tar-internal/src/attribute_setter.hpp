/// \file
/// Gives a restored member what it has beside its content.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "autoarchive/tree/entry.hpp"

namespace autoarchive::tar_internal {

/// Told of one thing that could not be done exactly.
using RestoreReport = std::function<void(std::string_view path, std::string_view text)>;

/// Who gets a member: -1 leaves it to whoever restores.
struct RestoredOwner {
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
};

/// Order: owner, ACL (also that it has none), mode, attributes, times. Thread-safe.
class AttributeSetter {
 public:
  AttributeSetter();

  /// Of an open file or directory. Throws Error if the disk is full.
  void set(int fd, const Entry& entry, RestoredOwner owner, const RestoreReport& report) const;
  /// Removes the user's attributes that an open directory has and `entry` has not; none of the system's.
  static void remove_others(int fd, const Entry& entry, const RestoreReport& report);
  /// Of anything else, which was just made under a name in the directory `parent` that nobody else should know. Another
  /// thing that somebody has put there is left alone. Needs /proc.
  void set_at(int parent, const std::string& name, const Entry& entry, RestoredOwner owner,
              const RestoreReport& report) const;

 private:
  class Object;
  void set_all(const Object& object, const Entry& entry, RestoredOwner owner, const RestoreReport& report) const;
  [[nodiscard]] bool set_owner(const Object& object, const Entry& entry, RestoredOwner owner,
                               const RestoreReport& report) const;
  static void report_other_time(const Object& object, const Entry& entry, const RestoreReport& report);
  static void remove_acls(const Object& object, const Entry& entry, const RestoreReport& report);
  static void remove_acl(const Object& object, const Entry& entry, const std::string& name,
                         const RestoreReport& report);
  /// Returns the mode that is still to be set. Where the access ACL can't be, its group bits, which are the ACL's mask,
  /// are no more than what the group may do.
  [[nodiscard]] mode_t set_acls(const Object& object, const Entry& entry, const RestoreReport& report) const;
  bool set_xattr(const Object& object, const Entry& entry, const Xattr& xattr, const RestoreReport& report) const;

  bool is_root_;
};

/// Reports what could not be done; throws Error if nothing more can be: a full disk does not get better with the next
/// file.
void report_failure(const Entry& entry, const char* what, int os_errno, const RestoreReport& report);

}  // namespace autoarchive::tar_internal
