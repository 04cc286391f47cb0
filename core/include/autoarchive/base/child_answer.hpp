/// \file
/// A function of ours in a process of its own, because what it does may end the process.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// What it has said, and how it has ended.
struct ChildAnswer {
  std::string text;        ///< at most kMaxAnswerBytes of it
  int status = 0;          ///< as of waitpid()
  bool timed_out = false;  ///< it did not come to its end within the time limit, and was killed
};

inline constexpr std::size_t kMaxAnswerBytes = 1U << 20U;

/// How the function runs.
struct ChildCall {
  /// Writes its answer to `out`. When it returns the process ends, with status 0 and without destroying anything; what
  /// it throws ends the process, too.
  std::function<void(int out)> function;
  std::chrono::seconds time_limit;
  bool keeps_standard_error = false;  ///< else it is /dev/null, as the other two standard streams are
};

/// Runs it in a copy of this process, of which only the calling thread goes on: the function must need no lock of ours
/// that another thread may hold. It leads a process group, which is killed after it. Throws Error(os_error) if there is
/// no process or pipe to be had.
[[nodiscard]] AA_EXPORT ChildAnswer ask_in_child(const ChildCall& call);

/// Writes all of `text`; false if nobody reads it. For such a function.
AA_EXPORT bool write_answer(int out, std::string_view text) noexcept;

}  // namespace autoarchive
