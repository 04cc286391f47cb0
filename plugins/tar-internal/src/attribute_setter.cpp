#include "attribute_setter.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "acl_text.hpp"
#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr uid_t kKeepUid = static_cast<uid_t>(-1);

std::array<timespec, 2> times_of(const Entry& entry) {
  timespec time{};
  time.tv_sec = entry.mtime.seconds;
  time.tv_nsec = entry.mtime.nanoseconds;
  return {time, time};
}

bool is_acl(const Xattr& xattr) {
  return xattr.name == kAccessAcl || xattr.name == kDefaultAcl;
}

bool has_xattr(const Entry& entry, std::string_view name) {
  return std::any_of(entry.xattrs.begin(), entry.xattrs.end(), [&](const auto& xattr) { return xattr.name == name; });
}

// A set-id bit on a file that is somebody else's would lend that one's rights.
mode_t allowed_mode(RestoredOwner owner, bool owned) {
  return owned && owner.uid != kKeepUid ? 07777U : 01777U;
}

}  // namespace

void report_failure(const Entry& entry, const char* what, int os_errno, const RestoreReport& report) {
  if (os_errno == ENOSPC || os_errno == EDQUOT) throw Error::from_errno(os_errno, "restoring");
  report(entry.path, std::string(what) + ": " + errno_text(os_errno));
}

AttributeSetter::AttributeSetter() : is_root_(::geteuid() == 0) {}

void AttributeSetter::set_xattrs(int fd, const Entry& entry, bool acls, const RestoreReport& report) const {
  for (const auto& xattr : entry.xattrs) {
    if (is_acl(xattr) != acls) continue;
    if (::fsetxattr(fd, xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) == 0) continue;
    // Only root may set most of them; a user who restores would get a problem for every file.
    const bool needs_root = !xattr.name.starts_with("user.") && !acls;
    if (!is_root_ && needs_root && errno == EPERM) continue;
    report_failure(entry, ("attribute " + xattr.name).c_str(), errno, report);
  }
}

// A directory's default ACL is inherited by what is made in it, and a directory that was there has its own: neither is
// the backup's.
void AttributeSetter::remove_acls(int fd, const Entry& entry, const RestoreReport& report) {
  for (const auto name : {kAccessAcl, kDefaultAcl}) {
    if (has_xattr(entry, name) || (name == kDefaultAcl && entry.kind != EntryKind::directory)) continue;
    if (::fremovexattr(fd, name.data()) != 0 && errno != ENODATA && errno != ENOTSUP)
      report_failure(entry, "an ACL can't be removed", errno, report);
  }
}

void AttributeSetter::set(int fd, const Entry& entry, RestoredOwner owner, const RestoreReport& report) const {
  const auto [uid, gid] = owner;
  bool owned = true;
  if (uid != kKeepUid && ::fchown(fd, uid, gid) != 0) {
    owned = false;
    if (is_root_ || errno != EPERM) report_failure(entry, "its owner can't be set", errno, report);
  }
  const auto allowed = allowed_mode(owner, owned);
  remove_acls(fd, entry, report);
  set_xattrs(fd, entry, /*acls=*/true, report);
  if (::fchmod(fd, entry.mode & allowed) != 0) report_failure(entry, "its mode can't be set", errno, report);
  if ((entry.mode & ~allowed) != 0 && entry.kind == EntryKind::file)
    report(entry.path, "it is restored without set-user-id and set-group-id, as it is not its owner's");
  set_xattrs(fd, entry, /*acls=*/false, report);
  if (::futimens(fd, times_of(entry).data()) != 0) report_failure(entry, "its time can't be set", errno, report);
}

void AttributeSetter::set_at(int parent, const std::string& name, const Entry& entry, RestoredOwner owner,
                             const RestoreReport& report) const {
  const auto [uid, gid] = owner;
  bool owned = true;
  if (uid != kKeepUid && ::fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
    owned = false;
    if (is_root_ || errno != EPERM) report_failure(entry, "its owner can't be set", errno, report);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(parent) + "/" + name;
  if (entry.kind != EntryKind::symlink && !has_xattr(entry, kAccessAcl))
    ::lremovexattr(path.c_str(), kAccessAcl.data());
  if (entry.kind != EntryKind::symlink &&
      ::fchmodat(parent, name.c_str(), entry.mode & allowed_mode(owner, owned), 0) != 0) {
    report_failure(entry, "its mode can't be set", errno, report);
  }
  for (const auto& xattr : entry.xattrs) {
    if (::lsetxattr(path.c_str(), xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) != 0 &&
        (is_root_ || errno != EPERM)) {
      report_failure(entry, ("attribute " + xattr.name).c_str(), errno, report);
    }
  }
  if (::utimensat(parent, name.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0)
    report_failure(entry, "its time can't be set", errno, report);
}

}  // namespace autoarchive::tar_internal
