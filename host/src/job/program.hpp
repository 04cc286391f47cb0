/// \file
/// Another program, run to its end: hooks, and our own further processes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::host {

/// How to run it. No shell takes part.
struct ProgramCall {
  std::vector<std::string> words;        ///< the program, by absolute path, and its arguments
  std::vector<std::string> environment;  ///< complete, e.g. {"PATH=/usr/bin"}
  std::string input;                     ///< on standard input; what it does not read is dropped
  std::optional<std::chrono::seconds> time_limit;
  std::stop_token stop;
  /// How long it may go on after a stop was requested, or after its start if later.
  std::chrono::milliseconds patience{0};
  std::chrono::milliseconds grace{1000};       ///< between SIGTERM and SIGKILL, when its time is over
  std::chrono::milliseconds stop_grace{1000};  ///< the same once a stop was requested
  /// Called with what it writes, as it comes; `is_error`: on standard error.
  std::function<void(bool is_error, std::string_view bytes)> output;
};

struct ProgramEnd {
  int status = 0;       ///< its exit status; of a signal: 128 + number
  int wait_status = 0;  ///< the same as waitpid() gives it, which tells the two apart
  bool timed_out = false;
  bool stopped = false;
  /// "status 3", "signal 9", "no end within 10m", "stopped"
  [[nodiscard]] std::string text(const ProgramCall& call) const;
};

/// Runs it in a process group of its own, which dies with this process. When its time is over or a stop was requested,
/// the group gets SIGTERM and, when the grace is over, SIGKILL. What it leaves running in the background is not waited
/// for. Throws Error(os_error) if it can't be started. Not interrupted by signals.
[[nodiscard]] ProgramEnd run_program(const ProgramCall& call);

/// The absolute path of a program: itself if it has a "/", else the first in `path` ("/usr/bin:/bin") that can be run.
/// Empty: there is none.
[[nodiscard]] std::string find_program(const std::string& name, std::string_view path);

}  // namespace autoarchive::host
