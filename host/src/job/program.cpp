#include "job/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{50};
constexpr std::chrono::seconds kLastOutput{1};  // how long after its end somebody else may hold its output

std::vector<char*> as_argv(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // execve does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

/// {ours, the child's}: sockets, so that neither side's end raises a signal.
std::pair<UniqueFd, UniqueFd> make_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw Error::from_errno(errno, "socketpair");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// All that the child needs, made before fork(): between fork() and execve() nothing may allocate.
struct Prepared {
  char* const* words;
  char* const* environment;
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
  ::execve(prepared.words[0], prepared.words, prepared.environment);
  const int os_errno = errno;
  [[maybe_unused]] const auto written = ::write(prepared.failure_fd, &os_errno, sizeof os_errno);
  ::_exit(127);
}

/// One program from its start to its end.
class Run {
 public:
  explicit Run(const ProgramCall& call) : call_(call) { start(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (pid_ < 0) return;  // it has ended, or never began
    ::kill(-pid_, SIGKILL);
    reap(0);
  }

  ProgramEnd wait() {
    const auto began = Clock::now();
    std::optional<Clock::time_point> ended;
    while (!ended || ((output_ || error_) && Clock::now() - *ended < kLastOutput)) {
      transfer(ended ? std::chrono::milliseconds(10) : kPollInterval);
      if (!ended && reap(WNOHANG)) ended = Clock::now();
      if (!ended) end_when_due(began);
    }
    return end_;
  }

 private:
  void start() {
    const auto words = as_argv(call_.words);
    const auto environment = as_argv(call_.environment);
    auto [input_write, input_read] = make_channel();
    auto [output_read, output_write] = make_pipe();
    auto [error_read, error_write] = make_pipe();
    int failure[2];
    if (::pipe2(failure, O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
    UniqueFd failure_read(failure[0]);
    UniqueFd failure_write(failure[1]);
    const Prepared prepared{words.data(),       environment.data(), ::getpid(),         input_read.get(),
                            output_write.get(), error_write.get(),  failure_write.get()};
    pid_ = ::fork();
    if (pid_ < 0) throw Error::from_errno(errno, "starting " + quote(call_.words.front()));
    if (pid_ == 0) run_child(prepared);
    ::setpgid(pid_, pid_);  // whoever comes first
    failure_write.reset();
    int os_errno = 0;
    if (::read(failure_read.get(), &os_errno, sizeof os_errno) == static_cast<ssize_t>(sizeof os_errno)) {
      reap(0);
      throw Error::from_errno(os_errno, "starting " + quote(call_.words.front()));
    }
    input_ = std::move(input_write);
    output_ = std::move(output_read);
    error_ = std::move(error_read);
  }

  // Moves what can be moved, and waits for at most that long for something to move.
  void transfer(std::chrono::milliseconds wait) {
    if (rest_.empty()) input_.reset();
    std::array<pollfd, 3> polled{pollfd{input_ ? input_.get() : -1, POLLOUT, 0},
                                 pollfd{output_ ? output_.get() : -1, POLLIN, 0},
                                 pollfd{error_ ? error_.get() : -1, POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(wait.count())) <= 0) return;
    if (polled[0].revents != 0) feed();
    if (polled[1].revents != 0) drain(output_, /*is_error=*/false);
    if (polled[2].revents != 0) drain(error_, /*is_error=*/true);
  }

  void feed() {
    const auto sent = ::send(input_.get(), rest_.data(), rest_.size(), MSG_NOSIGNAL);
    if (sent > 0) rest_.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) input_.reset();  // it does not read
  }

  void drain(UniqueFd& from, bool is_error) {
    std::array<char, 16'384> buffer;
    const auto got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return from.reset();
    if (call_.output) call_.output(is_error, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  }

  void end_when_due(Clock::time_point began) {
    const auto now = Clock::now();
    if (!asked_to_end_) {
      end_.timed_out = call_.time_limit && now - began >= *call_.time_limit;
      if (!stop_seen_ && call_.stop.stop_requested()) stop_seen_ = now;
      end_.stopped = !end_.timed_out && stop_seen_ && now - *stop_seen_ >= call_.patience;
      if (!end_.timed_out && !end_.stopped) return;
      asked_to_end_ = now;
      ::kill(-pid_, SIGTERM);
    } else if (now - *asked_to_end_ >= call_.grace) {
      ::kill(-pid_, SIGKILL);
    }
  }

  bool reap(int flags) {
    // As long as its end is not taken, its number is its group's and nobody else's: what it has started ends with it.
    siginfo_t ended{};
    if (asked_to_end_ && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT | WNOHANG) == 0 &&
        ended.si_pid == pid_) {
      ::kill(-pid_, SIGKILL);
    }
    int status = 0;
    pid_t reaped = 0;
    do {
      reaped = ::waitpid(pid_, &status, flags);
    } while (reaped < 0 && errno == EINTR);
    if (reaped == 0) return false;
    end_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    pid_ = -1;
    return true;
  }

  const ProgramCall& call_;
  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_;
  std::string_view rest_{call_.input};
  std::optional<Clock::time_point> stop_seen_;
  std::optional<Clock::time_point> asked_to_end_;
  ProgramEnd end_;
};

}  // namespace

std::string ProgramEnd::text(const ProgramCall& call) const {
  if (timed_out) return "no end within " + format_duration(*call.time_limit);
  if (stopped) return "stopped";
  return status > 128 ? fmt::format("signal {}", status - 128) : fmt::format("status {}", status);
}

ProgramEnd run_program(const ProgramCall& call) {
  return Run(call).wait();
}

std::string find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return name;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    const auto file = std::string(path.substr(0, end)) + "/" + name;
    if (file.front() == '/' && ::access(file.c_str(), X_OK) == 0) return file;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

}  // namespace autoarchive::host
