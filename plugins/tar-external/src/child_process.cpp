#include "child_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_external {
namespace {

std::vector<char*> as_argv(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // execve does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

/// All that the child needs, made before fork(): between fork() and execve() nothing may allocate.
struct Prepared {
  const char* program;
  char* const* argv;
  char* const* environment;
  const std::vector<int>* inherited;
  pid_t parent;
  int input_fd;
  int output_fd;
  int error_fd;
  int failure_fd;  // gets errno if execve() fails
};

[[noreturn]] void run_child(const Prepared& prepared) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // it died before this was heard
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_DFL);
  ::dup2(prepared.input_fd, 0);
  ::dup2(prepared.output_fd, 1);
  ::dup2(prepared.error_fd, 2);
  for (const int fd : *prepared.inherited) ::fcntl(fd, F_SETFD, 0);
  ::execve(prepared.program, prepared.argv, prepared.environment);
  const int os_errno = errno;
  [[maybe_unused]] const auto written = ::write(prepared.failure_fd, &os_errno, sizeof os_errno);
  ::_exit(127);
}

/// {ours, the child's}
std::pair<UniqueFd, UniqueFd> make_input() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw Error::from_errno(errno, "socketpair");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // of this end only: the child's may block
  const int bytes = 1 << 20;              // fewer wake-ups; where the limit is lower, the limit
  ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd no_input() {
  UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd) throw Error::from_errno(errno, "/dev/null");
  return fd;
}

}  // namespace

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "status " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

ChildProcess::ChildProcess(const ChildCommand& command) {
  auto words = command.arguments;
  words.insert(words.begin(), command.program);
  const auto argv = as_argv(words);
  const auto environment = as_argv(command.environment);
  auto [output_read, output_write] = make_pipe();
  auto [error_read, error_write] = make_pipe();
  auto [failure_read, failure_write] = make_pipe();
  auto [input_write, input_read] = command.has_input ? make_input() : std::pair(UniqueFd(), no_input());
  // Fewer wake-ups; where the limit is lower, the kernel's default does.
  ::fcntl(output_read.get(), F_SETPIPE_SZ, 1 << 20);
  const Prepared prepared{command.program.c_str(), argv.data(),       environment.data(),
                          &command.inherited,      ::getpid(),        input_read.get(),
                          output_write.get(),      error_write.get(), failure_write.get()};
  pid_ = ::fork();
  if (pid_ < 0) throw Error::from_errno(errno, "starting " + quote(command.program));
  if (pid_ == 0) run_child(prepared);
  ::setpgid(pid_, pid_);  // whoever comes first
  failure_write.reset();
  int os_errno = 0;
  if (::read(failure_read.get(), &os_errno, sizeof os_errno) == static_cast<ssize_t>(sizeof os_errno)) {
    static_cast<void>(wait());
    throw Error::from_errno(os_errno, "starting " + quote(command.program), ErrorCause::unavailable);
  }
  input_ = std::move(input_write);
  output_ = std::move(output_read);
  error_ = std::move(error_read);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill();
  static_cast<void>(wait());
}

void ChildProcess::kill() noexcept {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

int ChildProcess::wait() {
  // As long as its end is not taken, its number is its group's and nobody else's: what it has started itself is ended
  // first.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  kill();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

}  // namespace autoarchive::tar_external
