/// \file
/// The one exception type that leaves a component.
///
/// Three tiers: a broken invariant is an assert; the end of a job is an `Error`; trouble with one file goes to the
/// observer and the job goes on. `Error` is the second of them.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// The eight error kinds of the archiver service's API, one for one.
enum class ErrorCode : std::uint8_t {
  value_error,      ///< a value outside of what is allowed (ValueError)
  runtime_error,    ///< the job can't be done (RuntimeError)
  os_error,         ///< the system refused (OSError); os_errno() says why
  not_implemented,  ///< the provider does not have the call (NotImplementedError)
  key_error,        ///< unknown or duplicate key (KeyError)
  type_error,       ///< an object of the wrong class (TypeError)
  file_exists,      ///< FileExistsError, a kind of OSError
  file_not_found,   ///< FileNotFoundError, a kind of OSError
};

/// What is behind an error, where callers act on it; the exit status is chosen by it (docs: README, "Exit status").
enum class ErrorCause : std::uint8_t {
  unspecified,
  unsupported,     ///< type or feature that no provider, or not the wanted one, has
  unavailable,     ///< a provider exists and can't work here (program missing, plugin refused)
  no_such_backup,  ///< archive or backup that does not exist
  destination,     ///< destination unusable, found before anything was written
  no_space,        ///< destination full while writing
  lock_busy,       ///< another run holds the lock
  not_now,         ///< a hook asked to come back later
  not_permitted,   ///< the user may not do this
  source,          ///< the source root is missing, empty or not readable
  damaged,         ///< an archive, manifest or state file is not what its digest says
  state_lost,      ///< a provider's state of an earlier level is missing or not the chain's: a level 0 is needed
  configuration,   ///< the configuration is invalid
  usage,           ///< the command line is invalid
  cancelled,       ///< a stop was requested
  internal,        ///< our own bug
};

/// The seed's name of a kind, e.g. "ValueError".
[[nodiscard]] AA_EXPORT std::string_view to_string(ErrorCode code) noexcept;
/// A stable word for JSON and events, e.g. "no_space".
[[nodiscard]] AA_EXPORT std::string_view to_string(ErrorCause cause) noexcept;

/// Ends a job. The message names the thing, what was found, what is allowed and what to do; one line, no final stop.
class AA_EXPORT Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, ErrorCause cause = ErrorCause::unspecified, int os_errno = 0);
  Error(const Error&);
  Error& operator=(const Error&);
  ~Error() override;

  /// From a failed system call: ENOENT becomes file_not_found, EEXIST file_exists, everything else os_error;
  /// ENOSPC, EDQUOT and EFBIG set the cause no_space where none is given. The message becomes "WHAT: strerror".
  [[nodiscard]] static Error from_errno(int os_errno, std::string_view what,
                                        ErrorCause cause = ErrorCause::unspecified);

  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] ErrorCause cause() const noexcept { return cause_; }
  /// 0 where no system call was involved.
  [[nodiscard]] int os_errno() const noexcept { return os_errno_; }
  /// os_error, file_exists and file_not_found: the seed's OSError family.
  [[nodiscard]] bool is_os_error() const noexcept;

 private:
  std::string message_;
  ErrorCode code_;
  ErrorCause cause_;
  int os_errno_;
};

/// strerror() without its shared buffer. Thread-safe.
[[nodiscard]] AA_EXPORT std::string errno_text(int os_errno);

}  // namespace autoarchive
