#include "autoarchive/base/private_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

void write_all(int fd, ByteView bytes, const std::string& what) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error::from_errno(errno, what);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void sync_directory(const std::filesystem::path& directory, const std::string& what) {
  const UniqueFd fd(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && (::fsync(fd.get()) == 0 || errno == EINVAL || errno == ENOTSUP)) return;
  throw Error::from_errno(errno, what);
}

}  // namespace

PrivateFile::PrivateFile(std::filesystem::path file)
    : file_(std::move(file)), temporary_(file_.native() + "._partial"), what_("file " + quote(file_.native())) {
  // One writer at a time: whoever has the lock of the file that is under the temporary name, which is left by a writer
  // that was killed, and gone when one has committed.
  for (;;) {
    UniqueFd fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!fd || ::flock(fd.get(), LOCK_EX) != 0) throw Error::from_errno(errno, what_);
    struct stat locked {};
    struct stat named {};
    if (::fstat(fd.get(), &locked) != 0) throw Error::from_errno(errno, what_);
    if (::lstat(temporary_.c_str(), &named) != 0 || named.st_ino != locked.st_ino || named.st_dev != locked.st_dev)
      continue;
    if (::ftruncate(fd.get(), 0) != 0 || ::fchmod(fd.get(), 0600) != 0) throw Error::from_errno(errno, what_);
    fd_ = std::move(fd);
    return;
  }
}

PrivateFile::~PrivateFile() {
  if (fd_) ::unlink(temporary_.c_str());
}

void PrivateFile::write(ByteView content) {
  write_all(fd_.get(), content, what_);
}

void PrivateFile::commit() {
  if (::fsync(fd_.get()) != 0) throw Error::from_errno(errno, what_);
  if (std::rename(temporary_.c_str(), file_.c_str()) != 0) throw Error::from_errno(errno, what_);
  fd_.reset();  // all of it is on disk: nothing can fail any more
  sync_directory(file_.parent_path(), what_);
}

void write_private_file(const std::filesystem::path& file, ByteView content) {
  PrivateFile writer(file);
  writer.write(content);
  writer.commit();
}

}  // namespace autoarchive
