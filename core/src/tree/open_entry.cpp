#include "open_entry.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "autoarchive/tree/walker.hpp"

namespace autoarchive {
namespace {

constexpr std::uint64_t kStatBlockBytes = 512;  // the unit of st_blocks

}  // namespace

void fill_from_stat(const struct stat& status, Entry& entry) {
  entry.kind = kind_of(status.st_mode);
  entry.mode = status.st_mode & 07777U;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.size = entry.kind == EntryKind::file ? static_cast<std::uint64_t>(status.st_size) : 0;
  entry.mtime = {status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
  entry.ctime = {status.st_ctim.tv_sec, static_cast<std::uint32_t>(status.st_ctim.tv_nsec)};
  entry.device = status.st_dev;
  entry.inode = status.st_ino;
  entry.link_count = status.st_nlink;
  entry.rdev_major = major(status.st_rdev);
  entry.rdev_minor = minor(status.st_rdev);
}

UniqueFd open_at(int directory_fd, const char* name, int flags) {
  constexpr int kAlways = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int fd = -1;
  // O_NOATIME is for the owner and root only.
  for (const int no_atime : {O_NOATIME, 0}) {
    do {
      fd = ::openat(directory_fd, name, kAlways | no_atime | flags);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0 || errno != EPERM) break;
  }
  return UniqueFd(fd);
}

bool read_link_at(int directory_fd, const char* name, std::string& target) {
  target.resize(256);
  for (;;) {
    const auto length = ::readlinkat(directory_fd, name, target.data(), target.size());
    if (length < 0) return false;
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      return true;
    }
    target.resize(target.size() * 4);
  }
}

const char* WalkItem::name() const noexcept {
  return entry.path.c_str() + entry.path.rfind('/') + 1;
}

OpenedEntry open_entry(const WalkItem& item) {
  OpenedEntry opened;
  opened.entry.path = item.entry.path;
  if (!item.parent || (item.entry.kind != EntryKind::file && item.entry.kind != EntryKind::directory)) {
    opened.os_errno = EINVAL;
    return opened;
  }
  UniqueFd fd = open_at(item.parent->fd(), item.name(), item.entry.kind == EntryKind::directory ? O_DIRECTORY : 0);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    opened.os_errno = errno;
    return opened;
  }
  fill_from_stat(status, opened.entry);
  opened.allocated_bytes = static_cast<std::uint64_t>(status.st_blocks) * kStatBlockBytes;
  if (opened.entry.device != item.entry.device || opened.entry.inode != item.entry.inode ||
      opened.entry.kind != item.entry.kind) {
    opened.os_errno = ESTALE;
    return opened;
  }
  opened.fd = std::move(fd);
  return opened;
}

OpenedEntry stat_entry(const WalkItem& item) {
  OpenedEntry result;
  result.entry.path = item.entry.path;
  struct stat status {};
  if (!item.parent) {
    result.os_errno = EINVAL;
  } else if (::fstatat(item.parent->fd(), item.name(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    result.os_errno = errno;
  } else {
    fill_from_stat(status, result.entry);
    if (result.entry.device != item.entry.device || result.entry.inode != item.entry.inode) result.os_errno = ESTALE;
  }
  return result;
}

}  // namespace autoarchive
