/// \file
/// Who leads a process group that we have started.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "autoarchive/base/child_process.hpp"
#include "autoarchive/base/error.hpp"

namespace autoarchive {

/// Killed with all that it has started when this object is destroyed. Not thread-safe.
class ProcessGroup {
 public:
  /// `body` runs in the child, which ends when it returns. fork() and not posix_spawn(), which can't tie the child's
  /// life to ours; so a body that goes on to another program may only make calls that are async-signal-safe. Throws
  /// Error(os_error) that begins with `what`.
  template <class Body>
  ProcessGroup(const std::string& what, const Body& body) {
    const auto parent = ::getpid();
    leader_ = ::fork();
    if (leader_ < 0) throw Error::from_errno(errno, what);
    if (leader_ == 0) run(body, parent);
    ::setpgid(leader_, leader_);  // whoever comes first
  }
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;
  ~ProcessGroup();

  [[nodiscard]] bool has_ended() const noexcept;
  /// The status of waitpid(). REQUIRES: called once.
  int wait(Leftovers leftovers) noexcept;
  /// To all of the group; nothing after wait().
  void signal(int number) noexcept;

 private:
  /// In the child: a group of its own whose leader dies with the parent, and in which no signal is blocked. One that
  /// was sent to the parent's group, and reached the child before it had left that, does nothing to it.
  static void enter(pid_t parent) noexcept;
  template <class Body>
  [[noreturn]] static void run(const Body& body, pid_t parent) noexcept {
    enter(parent);
    body();
    ::_exit(0);
  }

  pid_t leader_ = -1;
};

}  // namespace autoarchive
