#include "autoarchive/base/unique_fd.hpp"

#include <unistd.h>

#include <cerrno>

#include "autoarchive/base/error.hpp"

namespace autoarchive {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  reset();
}

void UniqueFd::reset() noexcept {
  // Linux has closed it whatever close() returns, also with EINTR.
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void UniqueFd::close(const char* what) {
  const int fd = release();
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) throw Error::from_errno(errno, what);
}

}  // namespace autoarchive
