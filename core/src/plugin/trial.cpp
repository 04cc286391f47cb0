#include "trial.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/plugin/abi.h"

namespace autoarchive {
namespace {

// A machine that is suspended or overloaded must not make a good plugin a bad one.
constexpr std::chrono::seconds kTimeLimit{60};
// What the child says when all is well; a library that ends the process says nothing.
constexpr std::string_view kWell = "well";

void say(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Runs in the child, and never returns: what a constructor throws ends the child, and gets nowhere else. It says
// "terminate called …" to nobody.
[[noreturn]] void load_in_child(const char* library, int out, pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  void* const loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    say(out, ::dlerror());
  } else {
    using Entry = const autoarchive_plugin* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(loaded, AUTOARCHIVE_PLUGIN_ENTRY_NAME));
    if (entry != nullptr) static_cast<void>(entry());
    say(out, kWell);
  }
  ::_exit(0);
}

// False if it was still not at its end when the time was over.
bool read_to_end(int fd, std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kTimeLimit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    if (left.count() <= 0) return false;
    if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 1024> buffer{};
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string end_of_child(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "it ended the process by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "it ended the process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string try_loading(const std::filesystem::path& library) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe for a trial: " + errno_text(errno);
  UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const auto parent = ::getpid();
  const auto child = ::fork();
  if (child < 0) return "no process for a trial: " + errno_text(errno);
  if (child == 0) load_in_child(library.c_str(), out.get(), parent);
  out.reset();
  std::string said;
  const bool ended = read_to_end(in.get(), said);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return "it did not come back within " + std::to_string(kTimeLimit.count()) + " s";
  if (said == kWell) return {};
  return said.empty() ? end_of_child(status) : said;
}

}  // namespace autoarchive
