#include "attribute_setter.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "acl_text.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/attributes.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr uid_t kKeepUid = RestoredOwner{}.uid;
constexpr gid_t kKeepGid = RestoredOwner{}.gid;
constexpr std::uint64_t kCoarsestSeconds = 2;  // between two times that a file system can hold: vfat's
constexpr std::string_view kCapabilities = "security.capability";

std::array<timespec, 2> times_of(const Entry& entry) {
  timespec time{};
  time.tv_sec = entry.mtime.seconds;
  time.tv_nsec = entry.mtime.nanoseconds;
  return {time, time};
}

// From a day after vfat begins, in any time zone, to the end of 32 bits.
bool is_held_everywhere(const Timestamp& time) {
  constexpr std::int64_t k1980 = 315'532'800;
  constexpr std::int64_t kDay = 86'400;
  return time.seconds >= k1980 + kDay && time.seconds <= std::numeric_limits<std::int32_t>::max();
}

std::uint64_t distance(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(std::max(a, b)) - static_cast<std::uint64_t>(std::min(a, b));
}

bool is_acl(const Xattr& xattr) {
  return xattr.name == kAccessAcl || xattr.name == kDefaultAcl;
}

bool has_xattr(const Entry& entry, std::string_view name) {
  return std::any_of(entry.xattrs.begin(), entry.xattrs.end(), [&](const auto& xattr) { return xattr.name == name; });
}

// A set-id bit on a file that is somebody else's would lend that one's rights.
mode_t allowed_mode(RestoredOwner owner, bool owned) {
  const mode_t user = owned && owner.uid != kKeepUid ? 04000U : 0;
  const mode_t group = owned && owner.gid != kKeepGid ? 02000U : 0;
  return 01777U | user | group;
}

}  // namespace

/// What attributes are set of, by a descriptor alone: a name may be another thing's in the next moment.
class AttributeSetter::Object {
 public:
  /// An open file or directory, or what O_PATH has opened. `fd` must stay open.
  Object(int fd, bool is_path) : fd_(fd), path_(is_path ? "/proc/self/fd/" + std::to_string(fd) : std::string()) {}

  // As the system calls: 0, or -1 with errno. A descriptor of O_PATH leads them to a symlink itself.
  [[nodiscard]] int set_owner(RestoredOwner owner) const {
    return path_.empty() ? ::fchown(fd_, owner.uid, owner.gid)
                         : ::fchownat(fd_, "", owner.uid, owner.gid, AT_EMPTY_PATH);
  }
  [[nodiscard]] int set_mode(mode_t mode) const {
    return path_.empty() ? ::fchmod(fd_, mode) : ::chmod(path_.c_str(), mode);
  }
  [[nodiscard]] int set_xattr(const Xattr& xattr) const {
    const auto* name = xattr.name.c_str();
    return path_.empty() ? ::fsetxattr(fd_, name, xattr.value.data(), xattr.value.size(), 0)
                         : ::setxattr(path_.c_str(), name, xattr.value.data(), xattr.value.size(), 0);
  }
  [[nodiscard]] int remove_xattr(const char* name) const {
    return path_.empty() ? ::fremovexattr(fd_, name) : ::removexattr(path_.c_str(), name);
  }
  [[nodiscard]] int set_times(const std::array<timespec, 2>& times) const {
    return path_.empty() ? ::futimens(fd_, times.data()) : ::utimensat(AT_FDCWD, path_.c_str(), times.data(), 0);
  }
  [[nodiscard]] std::optional<Timestamp> time() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return std::nullopt;
    return Timestamp{status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
  }
  [[nodiscard]] uid_t uid() const {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 ? status.st_uid : kKeepUid;
  }

 private:
  int fd_;
  std::string path_;
};

void report_failure(const Entry& entry, const char* what, int os_errno, const RestoreReport& report) {
  if (os_errno == ENOSPC || os_errno == EDQUOT) throw Error::from_errno(os_errno, "restoring");
  report(entry.path, std::string(what) + ": " + errno_text(os_errno));
}

AttributeSetter::AttributeSetter() : is_root_(::geteuid() == 0) {}

bool AttributeSetter::set_xattr(const Object& object, const Entry& entry, const Xattr& xattr,
                                const RestoreReport& report) const {
  if (object.set_xattr(xattr) == 0) return true;
  if (errno == ENOSPC) {  // ext4 says so of what is more than a block, which is no full disk
    report(entry.path, "attribute " + xattr.name + ": the file system of the target has no room for it");
    return false;
  }
  // Only root may set most of them; a user who restores would get a problem for every file.
  const bool needs_root = !xattr.name.starts_with("user.") && !is_acl(xattr);
  if (is_acl(xattr) && is_acl_text(xattr.value)) {
    report(entry.path, "its ACL can't be set, as it names somebody who is not known here");
    return false;
  }
  if (is_root_ || !needs_root || errno != EPERM)
    report_failure(entry, ("attribute " + xattr.name).c_str(), errno, report);
  return false;
}

mode_t AttributeSetter::set_acls(const Object& object, const Entry& entry, const RestoreReport& report) const {
  remove_acls(object, entry, report);
  mode_t mode = entry.mode;
  for (const auto& xattr : entry.xattrs) {
    if (!is_acl(xattr) || set_xattr(object, entry, xattr, report)) continue;
    // Another one may be there, whose mask the mode would open.
    remove_acl(object, entry, xattr.name, report);
    if (xattr.name == kAccessAcl) mode &= ~070U | group_rights(xattr.value) << 3U;
  }
  return mode;
}

// A directory's default ACL is inherited by what is made in it, and a directory that was there has its own: neither is
// the backup's.
void AttributeSetter::remove_acls(const Object& object, const Entry& entry, const RestoreReport& report) {
  for (const auto name : {kAccessAcl, kDefaultAcl}) {
    if (has_xattr(entry, name) || (name == kDefaultAcl && entry.kind != EntryKind::directory)) continue;
    remove_acl(object, entry, std::string(name), report);
  }
}

void AttributeSetter::remove_acl(const Object& object, const Entry& entry, const std::string& name,
                                 const RestoreReport& report) {
  if (object.remove_xattr(name.c_str()) != 0 && errno != ENODATA && errno != ENOTSUP)
    report_failure(entry, "an ACL can't be removed", errno, report);
}

bool AttributeSetter::set_owner(const Object& object, const Entry& entry, RestoredOwner owner,
                                const RestoreReport& report) const {
  if (object.set_owner(owner) == 0) return true;
  const int os_errno = errno;
  if (!is_root_ && os_errno == EPERM) return false;
  const bool is_group = owner.uid == kKeepUid || object.uid() == owner.uid;
  report_failure(entry, is_group ? "its group can't be set" : "its owner can't be set", os_errno, report);
  return false;
}

void AttributeSetter::set_all(const Object& object, const Entry& entry, RestoredOwner owner,
                              const RestoreReport& report) const {
  const bool has_owner = owner.uid != kKeepUid || owner.gid != kKeepGid;
  const bool owned = !has_owner || set_owner(object, entry, owner, report);
  if (entry.kind != EntryKind::symlink) {  // which has neither
    const auto mode = set_acls(object, entry, report);
    const auto allowed = allowed_mode(owner, owned);
    if (object.set_mode(mode & allowed) != 0) report_failure(entry, "its mode can't be set", errno, report);
    if ((mode & ~allowed) != 0 && entry.kind == EntryKind::file)
      report(entry.path, "it is restored without set-user-id and set-group-id, as it is not its owner's");
  }
  const bool is_lent = !owned || owner.uid == kKeepUid;
  for (const auto& xattr : entry.xattrs) {
    if (is_lent && xattr.name == kCapabilities) {  // so would this
      if (is_root_) report(entry.path, "it is restored without its capabilities, as it is not its owner's");
    } else if (!is_acl(xattr)) {
      set_xattr(object, entry, xattr, report);
    }
  }
  if (object.set_times(times_of(entry)) != 0) return report_failure(entry, "its time can't be set", errno, report);
  if (!is_held_everywhere(entry.mtime)) report_other_time(object, entry, report);
}

// A file system takes what it can't hold for the nearest that it can, and says nothing.
void AttributeSetter::report_other_time(const Object& object, const Entry& entry, const RestoreReport& report) {
  const auto time = object.time();
  if (!time || distance(time->seconds, entry.mtime.seconds) <= kCoarsestSeconds) return;
  report(entry.path, "its time is " + format_rfc3339(time->seconds, time->nanoseconds) +
                         ", as the file system of the target can't hold " +
                         format_rfc3339(entry.mtime.seconds, entry.mtime.nanoseconds));
}

void AttributeSetter::set(int fd, const Entry& entry, RestoredOwner owner, const RestoreReport& report) const {
  set_all(Object(fd, /*is_path=*/false), entry, owner, report);
}

void AttributeSetter::remove_others(int fd, const Entry& entry, const RestoreReport& report) {
  int os_errno = 0;
  for (const auto& xattr : read_xattrs(fd, MetadataOptions{}, &os_errno)) {
    if (!xattr.name.starts_with("user.") || has_xattr(entry, xattr.name)) continue;
    if (::fremovexattr(fd, xattr.name.c_str()) != 0)
      report_failure(entry, ("attribute " + xattr.name + " can't be removed").c_str(), errno, report);
  }
  if (os_errno != 0) report_failure(entry, "its attributes can't be read", os_errno, report);
}

void AttributeSetter::set_at(int parent, const std::string& name, const Entry& entry, RestoredOwner owner,
                             const RestoreReport& report) const {
  const UniqueFd fd(::openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    return report_failure(entry, "its attributes can't be set", errno, report);
  if (kind_of(status.st_mode) != entry.kind || status.st_nlink > 1)
    return report(entry.path, "something else has taken its place while it was made; its attributes are not set");
  set_all(Object(fd.get(), /*is_path=*/true), entry, owner, report);
}

}  // namespace autoarchive::tar_internal
