#include "file_copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/tree/attributes.hpp"

namespace autoarchive::tar_internal {

FileCopy::FileCopy(int parent, const std::string& name) {
  os_errno_ = open(parent, name);
}

int FileCopy::open(int parent, const std::string& name) {
  if (::fstatat(parent, name.c_str(), &status_, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (!S_ISREG(status_.st_mode)) return EINVAL;  // to open a device may do something
  fd_ = UniqueFd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd_ || ::fstat(fd_.get(), &status_) != 0) return errno;
  return S_ISREG(status_.st_mode) ? 0 : EINVAL;
}

Entry FileCopy::entry(const std::string& path) {
  Entry entry;
  entry.path = path;
  entry.kind = EntryKind::file;
  entry.mode = status_.st_mode & 07777U;
  entry.size = static_cast<std::uint64_t>(status_.st_size);
  entry.mtime = {status_.st_mtim.tv_sec, static_cast<std::uint32_t>(status_.st_mtim.tv_nsec)};
  entry.xattrs = read_xattrs(fd_.get(), MetadataOptions{}, &os_errno_);
  return entry;
}

bool FileCopy::fail(int os_errno) noexcept {
  os_errno_ = os_errno;
  return false;
}

bool FileCopy::find_data() {
  const auto data = ::lseek(fd_.get(), at_, SEEK_DATA);
  if (data < 0) return errno == ENXIO ? false : fail(errno);  // ENXIO: only a hole is left
  const auto end = ::lseek(fd_.get(), data, SEEK_HOLE);
  if (end < 0) return fail(errno);
  at_ = data;
  data_end_ = end;
  return true;
}

bool FileCopy::next(ContentPiece& piece) {
  if (os_errno_ != 0 || (at_ >= data_end_ && !find_data())) return false;
  const auto wanted = static_cast<std::size_t>(std::min<off_t>(data_end_ - at_, static_cast<off_t>(buffer_.size())));
  auto got = ::pread(fd_.get(), buffer_.data(), wanted, at_);
  while (got < 0 && errno == EINTR) got = ::pread(fd_.get(), buffer_.data(), wanted, at_);
  if (got < 0) return fail(errno);
  piece = {static_cast<std::uint64_t>(at_), ByteView(buffer_).first(static_cast<std::size_t>(got))};
  at_ += got;
  return got > 0;
}

}  // namespace autoarchive::tar_internal
