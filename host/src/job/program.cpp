#include "job/program.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "autoarchive/base/child_process.hpp"
#include "autoarchive/base/durations.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{50};
constexpr std::chrono::seconds kLastOutput{1};  // how long after its end somebody else may hold its output

ChildCommand command_of(const ProgramCall& call) {
  return {call.words.front(), {call.words.begin() + 1, call.words.end()}, call.environment, {}, !call.input.empty()};
}

/// One program from its start to its end.
class Run {
 public:
  explicit Run(const ProgramCall& call) : call_(call), child_(command_of(call)) {}

  ProgramEnd wait() {
    const auto began = Clock::now();
    std::optional<Clock::time_point> ended;
    while (!ended || (has_output() && Clock::now() - *ended < kLastOutput)) {
      transfer(ended ? std::chrono::milliseconds(10) : kPollInterval);
      if (ended) continue;
      if (child_.has_ended()) {
        take_end();
        ended = Clock::now();
      } else {
        end_when_due(began);
      }
    }
    return end_;
  }

 private:
  [[nodiscard]] bool has_output() const noexcept {
    return child_.standard_output() >= 0 || child_.standard_error() >= 0;
  }

  // Moves what can be moved, and waits for at most that long for something to move.
  void transfer(std::chrono::milliseconds wait) {
    if (rest_.empty()) child_.close_standard_input();
    std::array<pollfd, 3> polled{pollfd{child_.standard_input(), POLLOUT, 0},
                                 pollfd{child_.standard_output(), POLLIN, 0},
                                 pollfd{child_.standard_error(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(wait.count())) <= 0) return;
    if (polled[0].revents != 0) feed();
    if (polled[1].revents != 0 && !drain(polled[1].fd, /*is_error=*/false)) child_.close_standard_output();
    if (polled[2].revents != 0 && !drain(polled[2].fd, /*is_error=*/true)) child_.close_standard_error();
  }

  void feed() {
    const auto sent = ::send(child_.standard_input(), rest_.data(), rest_.size(), MSG_NOSIGNAL);
    if (sent > 0) rest_.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) child_.close_standard_input();  // it does not read
  }

  // False: it is at its end.
  bool drain(int fd, bool is_error) {
    std::array<char, 16'384> buffer;
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got > 0 && call_.output) call_.output(is_error, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    return got > 0;
  }

  void end_when_due(Clock::time_point began) {
    const auto now = Clock::now();
    if (!stop_seen_ && call_.stop.stop_requested()) stop_seen_ = now;
    if (!asked_to_end_) {
      end_.timed_out = call_.time_limit && now - began >= *call_.time_limit;
      end_.stopped = !end_.timed_out && stop_seen_ && now - *stop_seen_ >= call_.patience;
      if (!end_.timed_out && !end_.stopped) return;
      asked_to_end_ = now;
      child_.terminate();
    } else if (now - *asked_to_end_ >= (stop_seen_ ? call_.stop_grace : call_.grace)) {
      child_.kill();
    }
  }

  // Whoever was told to end takes along what it has started.
  void take_end() {
    const int status = child_.wait(asked_to_end_ ? Leftovers::killed : Leftovers::kept);
    end_.wait_status = status;
    end_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  const ProgramCall& call_;
  ChildProcess child_;
  std::string_view rest_{call_.input};
  std::optional<Clock::time_point> stop_seen_;
  std::optional<Clock::time_point> asked_to_end_;
  ProgramEnd end_;
};

}  // namespace

std::string ProgramEnd::text(const ProgramCall& call) const {
  if (timed_out) return "no end within " + format_duration(*call.time_limit);
  if (stopped) return "stopped";
  return end_text(wait_status);
}

ProgramEnd run_program(const ProgramCall& call) {
  return Run(call).wait();
}

std::string find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return name;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    auto file = std::string(path.substr(0, end)) + "/" + name;
    if (file.front() == '/' && ::access(file.c_str(), X_OK) == 0) return file;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

}  // namespace autoarchive::host
