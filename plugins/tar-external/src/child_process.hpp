/// \file
/// A program in a process group of its own, with three pipes.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::tar_external {

/// How to start it. Descriptors in `inherited` keep their numbers in the child; all others are closed there.
struct ChildCommand {
  std::string program;                   ///< absolute path; no shell
  std::vector<std::string> arguments;    ///< without the program's name
  std::vector<std::string> environment;  ///< complete, e.g. {"LC_ALL=C"}
  std::vector<int> inherited;
};

/// Ends with its whole group when this object is destroyed, and with this process if that dies. Not thread-safe.
class ChildProcess {
 public:
  /// Throws Error(os_error) if it can't be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] int standard_output() const noexcept { return output_.get(); }
  [[nodiscard]] int standard_error() const noexcept { return error_.get(); }
  /// Waits for its end: the status of waitpid().
  [[nodiscard]] int wait();
  /// Ends the group at once.
  void kill() noexcept;

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
  UniqueFd error_;
};

/// Two ends of a pipe, closed in children unless inherited: {read, write}. Throws Error(os_error).
[[nodiscard]] std::pair<UniqueFd, UniqueFd> make_pipe();
/// An unnamed file in memory with this content, to be read by a child under /dev/fd/N. Throws Error(os_error).
[[nodiscard]] UniqueFd make_memory_file(const std::string& content);

}  // namespace autoarchive::tar_external
