#include "autoarchive/base/private_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

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

void write_private_file(const std::filesystem::path& file, ByteView content) {
  const auto what = "file " + quote(file.native());
  const auto temporary = file.native() + "._partial";
  ::unlink(temporary.c_str());
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw Error::from_errno(errno, what);
  write_all(fd.get(), content, what);
  if (::fsync(fd.get()) != 0) throw Error::from_errno(errno, what);
  fd.close(what.c_str());
  if (std::rename(temporary.c_str(), file.c_str()) != 0) throw Error::from_errno(errno, what);
  sync_directory(file.parent_path(), what);
}

}  // namespace autoarchive
