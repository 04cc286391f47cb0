#include "autoarchive/storage/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

// Records end with a NUL. The first one is the holder, all others are notes.
constexpr std::size_t kMaxLockFileBytes = 1U << 20U;
constexpr std::chrono::milliseconds kRetryInterval{50};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < kMaxLockFileBytes) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string holder_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(::getpid()) + " on " + host.data();
}

UniqueFd open_lock_file(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd) throw Error::from_errno(errno, "lock " + quote(file.native()), ErrorCause::destination);
  return fd;
}

bool is_still_there(const std::filesystem::path& file, int fd) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::lstat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace

LockFile::LockFile(const std::filesystem::path& file, std::chrono::seconds wait, const std::stop_token& stop)
    : file_(file) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    fd_ = open_lock_file(file);
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) {
      if (is_still_there(file, fd_.get())) break;
      continue;
    }
    // Without kernel locks (some network file systems) the archive's other lock, in the state, has to do.
    if (errno == ENOTSUP || errno == ENOSYS || errno == ENOLCK) break;
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw Error::from_errno(errno, "lock " + quote(file.native()), ErrorCause::destination);
    if (stop.stop_requested())
      throw Error(ErrorCode::runtime_error, "stopped while waiting for a lock", ErrorCause::cancelled);
    if (std::chrono::steady_clock::now() >= deadline) {
      const auto text = read_all(fd_.get());
      throw Error(ErrorCode::runtime_error,
                  "another run holds the lock " + quote(file.native()) + " (" +
                      escaped(text.substr(0, text.find('\0'))) + "); try again later, or wait with --lock-wait",
                  ErrorCause::lock_busy);
    }
    std::this_thread::sleep_for(kRetryInterval);
  }
  read_notes();
}

void LockFile::read_notes() {
  const auto text = read_all(fd_.get());
  std::string_view rest(text);
  bool first = true;
  for (auto end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
    if (!first) notes_.emplace_back(rest.substr(0, end));
    first = false;
    rest.remove_prefix(end + 1);
  }
}

void LockFile::note(const std::string& text) {
  const auto record = text + '\0';
  if (::lseek(fd_.get(), 0, SEEK_END) < 0 ||
      ::write(fd_.get(), record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
      ::fdatasync(fd_.get()) != 0) {
    throw Error::from_errno(errno, "lock " + quote(file_.native()));
  }
}

void LockFile::clear() {
  notes_.clear();
  const auto holder = holder_name() + '\0';
  if (::ftruncate(fd_.get(), 0) != 0 ||
      ::pwrite(fd_.get(), holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    throw Error::from_errno(errno, "lock " + quote(file_.native()));
  }
}

}  // namespace autoarchive
