/// \file
/// Another program in a process group of its own, with pipes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive {

class ProcessGroup;

/// How to start it. Descriptors in `inherited` keep their numbers in the child; others with O_CLOEXEC are closed there.
struct ChildCommand {
  std::string program;                   ///< absolute path; no shell
  std::vector<std::string> arguments;    ///< without the program's name
  std::vector<std::string> environment;  ///< complete, e.g. {"LC_ALL=C"}
  std::vector<int> inherited;
  bool has_input = false;  ///< standard input comes from standard_input(), else it is empty
};

/// What becomes of the processes that a child has started and that outlive it.
enum class Leftovers : std::uint8_t { killed, kept };

/// Ends with its whole group when this object is destroyed, and by itself if the thread that has started it ends. No
/// signal is blocked in it. Not thread-safe.
class AA_EXPORT ChildProcess {
 public:
  /// Throws Error (os_error or file_not_found, cause unavailable) if it can't be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// A socket, so that writing to a program that has ended raises no signal: send(…, MSG_NOSIGNAL). Does not block.
  [[nodiscard]] int standard_input() const noexcept { return input_.get(); }
  void close_standard_input() noexcept { input_.reset(); }
  /// The reading ends of pipes; -1 once closed.
  [[nodiscard]] int standard_output() const noexcept { return output_.get(); }
  void close_standard_output() noexcept { output_.reset(); }
  [[nodiscard]] int standard_error() const noexcept { return error_.get(); }
  void close_standard_error() noexcept { error_.reset(); }

  /// Whether it has ended; what it was is still to be asked by wait(). REQUIRES: wait() has not returned.
  [[nodiscard]] bool has_ended() const noexcept;
  /// Waits for its end: the status of waitpid(). REQUIRES: called once.
  [[nodiscard]] int wait(Leftovers leftovers = Leftovers::killed);
  /// Asks the group to end, by SIGTERM. Nothing after wait() has returned.
  void terminate() noexcept;
  /// Ends the group at once. Nothing after wait() has returned.
  void kill() noexcept;

 private:
  std::unique_ptr<ProcessGroup> group_;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_;
};

/// Two ends of a pipe, closed in children unless inherited: {read, write}. Throws Error(os_error).
[[nodiscard]] AA_EXPORT std::pair<UniqueFd, UniqueFd> make_pipe();
/// Adds what comes from `fd` to `text`, which does not grow beyond `max_bytes`; what is more is read and dropped. False
/// if the end of the stream had not come when the time was over.
[[nodiscard]] AA_EXPORT bool read_to_end(int fd, std::chrono::seconds time_limit, std::size_t max_bytes,
                                         std::string& text);
/// What a program's end was, by the status of waitpid(): "status 2", "signal 9".
[[nodiscard]] AA_EXPORT std::string end_text(int status);

}  // namespace autoarchive
