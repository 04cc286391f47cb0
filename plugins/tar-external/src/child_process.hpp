/// \file
/// A program in a process group of its own, with pipes.
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
  bool has_input = false;  ///< standard input comes from standard_input(), else it is empty
};

/// Ends with its whole group when this object is destroyed, and with this process if that dies. Not thread-safe.
class ChildProcess {
 public:
  /// Throws Error(os_error) if it can't be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// A socket, so that writing to a program that has ended raises no signal: send(…, MSG_NOSIGNAL). Does not block.
  [[nodiscard]] int standard_input() const noexcept { return input_.get(); }
  void close_standard_input() noexcept { input_.reset(); }
  [[nodiscard]] int standard_output() const noexcept { return output_.get(); }
  [[nodiscard]] int standard_error() const noexcept { return error_.get(); }
  /// Waits for its end, and ends what is left of its group: the status of waitpid(). REQUIRES: called once.
  [[nodiscard]] int wait();
  /// Ends the group at once. REQUIRES: wait() has not returned.
  void kill() noexcept;

 private:
  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_;
};

/// Two ends of a pipe, closed in children unless inherited: {read, write}. Throws Error(os_error).
[[nodiscard]] std::pair<UniqueFd, UniqueFd> make_pipe();
/// What a program's end was, e.g. "status 2", "signal 9".
[[nodiscard]] std::string end_text(int status);

}  // namespace autoarchive::tar_external
