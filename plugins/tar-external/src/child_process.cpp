#include "child_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
  int null_fd;
  int output_fd;
  int error_fd;
  int failure_fd;  // gets errno if execve() fails
};

[[noreturn]] void run_child(const Prepared& prepared) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_DFL);
  ::dup2(prepared.null_fd, 0);
  ::dup2(prepared.output_fd, 1);
  ::dup2(prepared.error_fd, 2);
  for (const int fd : *prepared.inherited) ::fcntl(fd, F_SETFD, 0);
  ::execve(prepared.program, prepared.argv, prepared.environment);
  const int os_errno = errno;
  [[maybe_unused]] const auto written = ::write(prepared.failure_fd, &os_errno, sizeof os_errno);
  ::_exit(127);
}

}  // namespace

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd make_memory_file(const std::string& content) {
  UniqueFd fd(::memfd_create("autoarchive", MFD_CLOEXEC));
  if (!fd) throw Error::from_errno(errno, "memfd_create");
  for (std::size_t done = 0; done < content.size();) {
    const auto written = ::write(fd.get(), content.data() + done, content.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error::from_errno(errno, "writing to a file in memory");
    done += static_cast<std::size_t>(written);
  }
  return fd;
}

ChildProcess::ChildProcess(const ChildCommand& command) {
  auto words = command.arguments;
  words.insert(words.begin(), command.program);
  const auto argv = as_argv(words);
  const auto environment = as_argv(command.environment);
  auto [output_read, output_write] = make_pipe();
  auto [error_read, error_write] = make_pipe();
  auto [failure_read, failure_write] = make_pipe();
  const UniqueFd null_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  // Fewer wake-ups; where the limit is lower, the kernel's default does.
  ::fcntl(output_read.get(), F_SETPIPE_SZ, 1 << 20);
  const Prepared prepared{command.program.c_str(), argv.data(),        environment.data(), &command.inherited,
                          null_fd.get(),           output_write.get(), error_write.get(),  failure_write.get()};
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
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  // What the program has started itself ends with it.
  kill();
  pid_ = -1;
  return status;
}

}  // namespace autoarchive::tar_external
