#include "autoarchive/base/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "process_group.hpp"

namespace autoarchive {
namespace {

std::vector<char*> as_argv(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));  // execve does not write to them
  pointers.push_back(nullptr);
  return pointers;
}

/// All that the child needs, made before fork(): between fork() and execve() nothing may allocate.
struct Prepared {
  const char* program;
  char* const* argv;
  char* const* environment;
  const std::vector<int>& inherited;
  int input_fd;
  int output_fd;
  int error_fd;
  int failure_fd;  // gets errno if execve() fails
};

void run_program(const Prepared& prepared) noexcept {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_DFL);  // which the host ignores
  ::dup2(prepared.input_fd, 0);
  ::dup2(prepared.output_fd, 1);
  ::dup2(prepared.error_fd, 2);
  for (const int fd : prepared.inherited) ::fcntl(fd, F_SETFD, 0);
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

/// Waits until the program runs; why it does not, else 0.
int failure_of_start(int fd) {
  for (;;) {
    int os_errno = 0;
    const auto got = ::read(fd, &os_errno, sizeof os_errno);
    if (got >= 0 || errno != EINTR) return got == static_cast<ssize_t>(sizeof os_errno) ? os_errno : 0;
  }
}

}  // namespace

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
  const Prepared prepared{command.program.c_str(), argv.data(),        environment.data(), command.inherited,
                          input_read.get(),        output_write.get(), error_write.get(),  failure_write.get()};
  const auto what = "starting " + quote(command.program);
  group_ = std::make_unique<ProcessGroup>(what, [&] { run_program(prepared); });
  failure_write.reset();
  if (const int os_errno = failure_of_start(failure_read.get()); os_errno != 0)
    throw Error::from_errno(os_errno, what, ErrorCause::unavailable);
  input_ = std::move(input_write);
  output_ = std::move(output_read);
  error_ = std::move(error_read);
}

ChildProcess::~ChildProcess() = default;

bool ChildProcess::has_ended() const noexcept {
  return group_->has_ended();
}

int ChildProcess::wait(Leftovers leftovers) {
  return group_->wait(leftovers);
}

void ChildProcess::terminate() noexcept {
  group_->signal(SIGTERM);
}

void ChildProcess::kill() noexcept {
  group_->signal(SIGKILL);
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool read_to_end(int fd, std::chrono::seconds time_limit, std::size_t max_bytes, std::string& text) {
  using namespace std::chrono_literals;
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time_limit;
  for (;;) {
    // What has come while this process was not running, too late or not, still counts.
    const auto left = std::max(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()), 0ms);
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (left == 0ms && (ready == 0 || text.size() == max_bytes)) return false;
    if (ready <= 0) continue;
    std::array<char, 4096> buffer;
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(buffer.data(), std::min(static_cast<std::size_t>(got), max_bytes - text.size()));
  }
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "status " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace autoarchive
