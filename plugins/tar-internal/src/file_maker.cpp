#include "file_maker.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::string_view kTemporaryBegin = ".aa-restore.";
constexpr std::string_view kTemporaryEnd = "._partial";
constexpr std::size_t kUuidLength = 36;

bool write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

UniqueFd create(const NewFile& file) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int parent = file.parent->get();
  UniqueFd fd(::openat(parent, file.temporary.c_str(), kFlags, 0600));
  if (fd) ::flock(fd.get(), LOCK_EX | LOCK_NB);  // where there are no locks, leftovers stay
  return fd;
}

bool write_content(int fd, const Entry& entry, const FileMaker::NextPiece& next, const RestoreReport& report,
                   std::uint64_t& bytes) {
  std::uint64_t end = 0;
  for (ContentPiece piece; next(piece);) {
    if (!write_all(fd, piece.bytes, piece.offset)) {
      report_failure(entry, "writing failed", errno, report);
      return false;
    }
    end = piece.offset + piece.bytes.size();
    bytes += piece.bytes.size();
  }
  if (end < entry.size && ::ftruncate(fd, static_cast<off_t>(entry.size)) != 0)
    report_failure(entry, "its size can't be set", errno, report);
  return true;
}

}  // namespace

std::string last_component(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string make_temporary_name() {
  return std::string(kTemporaryBegin) + make_uuid() + std::string(kTemporaryEnd);
}

bool is_temporary_name(std::string_view name) {
  const auto end = kTemporaryBegin.size() + kUuidLength;
  if (!name.starts_with(kTemporaryBegin) || name.size() < end || !name.substr(end).starts_with(kTemporaryEnd))
    return false;
  const auto number = name.substr(end + kTemporaryEnd.size());
  return number.empty() || (number.size() == 1 && number.front() >= '0' && number.front() <= '9');
}

TemporaryName::~TemporaryName() {
  if (!is_named_) ::unlinkat(parent_, name_.c_str(), 0);
}

bool take_place(int parent, const std::string& temporary, const std::string& name) {
  const auto take_name = [&] { return ::renameat(parent, temporary.c_str(), parent, name.c_str()) == 0; };
  if (take_name()) return true;
  return errno == EISDIR && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 && take_name();
}

void remove_leftover(int parent, const std::string& name) {
  struct stat status {};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  // A link, FIFO or device is there for a moment only, and to open one may do something.
  if (!S_ISREG(status.st_mode)) {
    ::unlinkat(parent, name.c_str(), 0);
    return;
  }
  const UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const bool is_file = fd && ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
  if (is_file && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(parent, name.c_str(), 0);
}

bool FileMaker::make(const NewFile& file, const NextPiece& next, const ContentCheck& is_right,
                     const RestoreReport& report, std::uint64_t& bytes) const {
  auto fd = create(file);
  if (!fd) {
    report_failure(file.entry, "can't be created", errno, report);
    return false;
  }
  TemporaryName guard(file.parent->get(), file.temporary);
  try {
    if (!write_content(fd.get(), file.entry, next, report, bytes)) return false;
  } catch (const Error& error) {
    const bool keep = keep_halves_ && error.cause() == ErrorCause::damaged;
    if (keep && finish(std::move(fd), file, report)) guard.set_named();
    throw;
  }
  if (is_right && !is_right() && !keep_halves_) return false;
  if (!finish(std::move(fd), file, report)) return false;
  guard.set_named();
  return true;
}

bool FileMaker::finish(UniqueFd fd, const NewFile& file, const RestoreReport& report) const {
  attributes_.set(fd.get(), file.entry, file.owner, report);
  if (::close(fd.release()) != 0) {
    report_failure(file.entry, "closing failed", errno, report);
    return false;
  }
  const bool is_named = take_place(file.parent->get(), file.temporary, last_component(file.entry.path));
  if (!is_named) report_failure(file.entry, "what is there can't be replaced", errno, report);
  return is_named;
}

}  // namespace autoarchive::tar_internal
