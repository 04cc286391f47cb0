#include "directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::uint64_t kProbeBytes = 64 * 1024;

void digest_range(int fd, std::uint64_t offset, std::uint64_t length, Sha256& digest) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(length));
  for (std::size_t filled = 0; filled < buffer.size();) {
    const auto got = ::pread(fd, buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, "reading a backup file");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  digest.update(buffer);
}

bool has_no_links(int os_errno) {
  return os_errno == EPERM || os_errno == ENOTSUP || os_errno == ENOSYS || os_errno == EMLINK || os_errno == EINVAL;
}

}  // namespace

Directory::Directory(const std::filesystem::path& path, ErrorCause cause) : path_(path), cause_(cause) {
  fd_ = UniqueFd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY));
  if (fd_) return;
  const int os_errno = errno;
  const char* remedy = os_errno == ENOENT ? "; create it, or mount what belongs there" : "";
  const auto error = Error::from_errno(os_errno, "directory " + quote(path.native()));
  throw Error(error.code(), error.message() + remedy, cause, os_errno);
}

std::string Directory::description(const std::string& name) const {
  return quote((path_ / name).native());
}

std::optional<FileIdentity> Directory::identify(const std::string& name) const {
  const UniqueFd file(::openat(fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  FileIdentity identity;
  identity.size = static_cast<std::uint64_t>(status.st_size);
  identity.inode = status.st_ino;
  Sha256 digest;
  digest_range(file.get(), 0, std::min(identity.size, kProbeBytes), digest);
  if (identity.size > kProbeBytes) {
    const auto tail = std::min(identity.size - kProbeBytes, kProbeBytes);
    digest_range(file.get(), identity.size - tail, tail, digest);
  }
  identity.probe = digest.finish();
  return identity;
}

bool Directory::exists(const std::string& name) const {
  struct stat status {};
  return ::fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void Directory::rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd(), from.c_str(), fd(), to.c_str()) != 0) {
    throw Error::from_errno(errno, "renaming " + description(from) + " to " + quote(to), cause_);
  }
}

void Directory::rename_new(const std::string& from, const std::string& to) const {
  if (::renameat2(fd(), from.c_str(), fd(), to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL || errno == ENOSYS) {  // the file system can't: the locks keep our own kind away
    if (!exists(to)) return rename(from, to);
    errno = EEXIST;
  }
  throw Error::from_errno(errno, "renaming " + description(from) + " to " + quote(to), cause_);
}

bool Directory::link(const std::string& from, const std::string& to) const {
  if (::linkat(fd(), from.c_str(), fd(), to.c_str(), 0) == 0) return true;
  if (has_no_links(errno)) return false;
  throw Error::from_errno(errno, "linking " + description(from) + " to " + quote(to), cause_);
}

void Directory::remove(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, "removing " + description(name), cause_);
  }
}

UniqueFd Directory::create(const std::string& name) const {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  UniqueFd file(::openat(fd(), name.c_str(), kFlags, 0600));
  if (!file) throw Error::from_errno(errno, "creating " + description(name), cause_);
  return file;
}

void Directory::sync() const {
  if (::fsync(fd()) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return;
  throw Error::from_errno(errno, "syncing directory " + quote(path_.native()), cause_);
}

}  // namespace autoarchive
