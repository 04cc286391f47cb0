#include "process_group.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

namespace autoarchive {
namespace {

// What is pending came to the group that it has just left; whoever wants to end this one asks later.
void drop_pending_signals() noexcept {
  sigset_t pending;
  sigpending(&pending);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction before {};
    // Whoever ignores a signal has none of it pending any more.
    if (sigismember(&pending, number) == 1 && ::sigaction(number, &ignore, &before) == 0)
      ::sigaction(number, &before, nullptr);
  }
}

}  // namespace

ProcessGroup::~ProcessGroup() {
  if (leader_ < 0) return;
  signal(SIGKILL);
  wait(Leftovers::killed);
}

void ProcessGroup::enter(pid_t parent) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before this was heard
  drop_pending_signals();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool ProcessGroup::has_ended() const noexcept {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == leader_;
}

int ProcessGroup::wait(Leftovers leftovers) noexcept {
  // As long as its end is not taken, its number is its group's and nobody else's: what it has started is ended first.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  if (leftovers == Leftovers::killed) signal(SIGKILL);
  int status = 0;
  while (::waitpid(leader_, &status, 0) < 0 && errno == EINTR) {
  }
  leader_ = -1;
  return status;
}

void ProcessGroup::signal(int number) noexcept {
  if (leader_ > 0) ::kill(-leader_, number);
}

}  // namespace autoarchive
