/// \file
/// Owner of a file descriptor.
#pragma once

#include <utility>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Closes its descriptor when destroyed. Movable, not copyable. Where the result of close() matters (anything that
/// was written to), call close() yourself.
class AA_EXPORT UniqueFd {
 public:
  UniqueFd() = default;
  /// Takes ownership of `fd`; -1 means none.
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;
  /// Closes and throws Error(os_error) naming `what` if the system reports a late write error.
  void close(const char* what);

 private:
  int fd_ = -1;
};

}  // namespace autoarchive
