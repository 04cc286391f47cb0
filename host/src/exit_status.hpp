/// \file
/// What the program ends with. Documented in README.md, "Exit status".
#pragma once

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {

enum class ExitStatus : int {
  ok = 0,
  warnings = 1,  ///< done, but some entries are missing or changed, each named
  failed = 2,    ///< at least one archive failed, or damage was found
  usage = 64,
  no_such_backup = 66,
  no_provider = 69,
  internal = 70,
  destination = 73,  ///< destination unusable, found before writing
  not_now = 75,      ///< another run holds the lock, or a hook said so
  not_permitted = 77,
  configuration = 78,
  interrupted = 128,  ///< plus the signal's number
};

/// The status that an error leads to.
[[nodiscard]] ExitStatus exit_status_of(const Error& error) noexcept;
/// The worse of two: 70, 128+n, 2, 73, 77, 69, 66, 75, 1, 0; 64 and 78 before all, as they start nothing.
[[nodiscard]] ExitStatus worse(ExitStatus a, ExitStatus b) noexcept;

}  // namespace autoarchive::host
