#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "application.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"

namespace autoarchive::host {
namespace {

constexpr std::array kStopSignals{SIGTERM, SIGINT, SIGHUP};

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kStopSignals) sigaddset(&set, number);
  return set;
}

/// Waits for stop signals on a thread of its own and turns them into a stop request; a second one ends the process at
/// once. The run that has started this process as a part of it passes its own stop on, and does so once: what it sends
/// and what reached both of them, as from systemd, is one and the same stop.
class SignalWatcher {
 public:
  // Blocked here, before any other thread is made, so that every thread inherits it and only the watcher takes them.
  explicit SignalWatcher(std::optional<pid_t> run) : run_(run) {
    const auto set = stop_signals();
    sigset_t wake = set;
    sigaddset(&wake, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &wake, nullptr);
    thread_ = std::thread([this, wake] { watch(wake); });
  }
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher() {
    finished_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] int signal_number() const noexcept { return number_; }

 private:
  void watch(const sigset_t& set) {
    for (bool is_second = false; !finished_;) {
      siginfo_t info{};
      const int number = sigwaitinfo(&set, &info);
      if (number < 0 || number == SIGUSR1) continue;
      if (info.si_pid != run_) {
        if (is_second) ::_exit(128 + number);
        is_second = true;
      }
      if (number_ == 0) number_ = number;
      stop_.request_stop();
    }
  }

  std::optional<pid_t> run_;
  std::stop_source stop_;
  std::atomic<int> number_ = 0;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

// A file opened later must never become descriptor 0, 1 or 2: what is printed would go into it.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) [[maybe_unused]]
      const int opened = ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  }
}

// Directories of entries that are under way are kept open; the usual soft limit is from another time.
void allow_more_descriptors() {
  constexpr rlim_t kWanted = 16'384;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = std::min(limit.rlim_max, kWanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> values;
  for (char** line = ::environ; line != nullptr && *line != nullptr; ++line) {
    const std::string_view text(*line);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

/// Of a pipe: who reads it knows by itself that it wanted no more.
bool is_reader_gone(int fd) {
  pollfd polled{fd, POLLOUT, 0};
  return ::poll(&polled, 1, 0) == 1 && (polled.revents & POLLERR) != 0;
}

std::filesystem::path own_file() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

}  // namespace

int run_process(int argc, const char* const* argv) {
  open_standard_descriptors();
  allow_more_descriptors();
  ::umask(077);
  for (const int ignored : {SIGPIPE, SIGXFSZ}) std::signal(ignored, SIG_IGN);
  const bool is_part = std::find(argv, argv + argc, std::string_view(kPartOfRunOption)) != argv + argc;
  SignalWatcher signals(is_part ? std::optional(::getppid()) : std::nullopt);
  const ProcessContext process{
      std::cin,      std::cout,        std::cerr,  ::isatty(0) == 1, ::isatty(1) == 1,           ::isatty(2) == 1,
      environment(), ::geteuid() == 0, own_file(), signals.token(),  ::getauxval(AT_SECURE) != 0};
  const int status = run_application(process, std::vector<std::string>(argv + 1, argv + argc));
  std::cout.flush();
  if (signals.signal_number() != 0 && status != 0) return 128 + signals.signal_number();
  if (std::cout || status > static_cast<int>(ExitStatus::warnings)) return status;
  if (!is_reader_gone(STDOUT_FILENO))
    std::cerr << "aa: error: standard output can't be written to: what it got is not all\n";
  return static_cast<int>(ExitStatus::failed);
}

}  // namespace autoarchive::host
