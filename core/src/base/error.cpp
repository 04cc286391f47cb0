#include "autoarchive/base/error.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace autoarchive {
namespace {

ErrorCode code_of(int os_errno) noexcept {
  switch (os_errno) {
    case ENOENT:
      return ErrorCode::file_not_found;
    case EEXIST:
      return ErrorCode::file_exists;
    default:
      return ErrorCode::os_error;
  }
}

bool is_full(int os_errno) noexcept {
  return os_errno == ENOSPC || os_errno == EDQUOT || os_errno == EFBIG;
}

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::value_error:
      return "ValueError";
    case ErrorCode::runtime_error:
      return "RuntimeError";
    case ErrorCode::os_error:
      return "OSError";
    case ErrorCode::not_implemented:
      return "NotImplementedError";
    case ErrorCode::key_error:
      return "KeyError";
    case ErrorCode::type_error:
      return "TypeError";
    case ErrorCode::file_exists:
      return "FileExistsError";
    case ErrorCode::file_not_found:
      return "FileNotFoundError";
  }
  return "Error";
}

std::string_view to_string(ErrorCause cause) noexcept {
  constexpr std::array<std::string_view, 16> kWords{"unspecified",   "unsupported", "unavailable", "no_such_backup",
                                                    "destination",   "no_space",    "lock_busy",   "not_now",
                                                    "not_permitted", "source",      "damaged",     "state_lost",
                                                    "configuration", "usage",       "cancelled",   "internal"};
  static_assert(kWords.size() == static_cast<std::size_t>(ErrorCause::internal) + 1);
  const auto index = static_cast<std::size_t>(cause);
  return index < kWords.size() ? kWords[index] : "unspecified";
}

Error::Error(ErrorCode code, std::string message, ErrorCause cause, int os_errno)
    : message_(std::move(message)), code_(code), cause_(cause), os_errno_(os_errno) {}
Error::Error(const Error&) = default;
Error& Error::operator=(const Error&) = default;
Error::~Error() = default;

Error Error::from_errno(int os_errno, std::string_view what, ErrorCause cause) {
  if (cause == ErrorCause::unspecified && is_full(os_errno)) cause = ErrorCause::no_space;
  return {code_of(os_errno), std::string(what) + ": " + errno_text(os_errno), cause, os_errno};
}

bool Error::is_os_error() const noexcept {
  return code_ == ErrorCode::os_error || code_ == ErrorCode::file_exists || code_ == ErrorCode::file_not_found;
}

std::string errno_text(int os_errno) {
  std::array<char, 256> buffer{};
  return ::strerror_r(os_errno, buffer.data(), buffer.size());  // the GNU form, which may not use the buffer
}

}  // namespace autoarchive
