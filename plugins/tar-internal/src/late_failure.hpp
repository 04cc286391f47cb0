/// \file
/// Failures of decoders that are told late.
#pragma once

#include <cstddef>
#include <optional>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_internal {

/// What a decoder has found wrong after it has decoded something in the same call: told with the next one, so that what
/// stands before the damage is not lost.
class LateFailure {
 public:
  void throw_if_there() const {
    if (failure_) throw Error(*failure_);
  }
  /// Throws it at once if nothing was `written`.
  void note(const Error& failure, std::size_t written) {
    failure_.emplace(failure);
    if (written == 0) throw_if_there();
  }

 private:
  std::optional<Error> failure_;
};

}  // namespace autoarchive::tar_internal
