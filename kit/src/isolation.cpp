#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/kit/conformance.hpp"
#include "rig.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

// What the child says: one digit, the outcome, then the text. Nothing: it did not come to its end.
void say(int fd, Outcome outcome, const std::string& text) {
  const auto words = std::to_string(static_cast<int>(outcome)) + text;
  std::size_t written = 0;
  while (written < words.size()) {
    const auto now = ::write(fd, words.data() + written, words.size() - written);
    if (now <= 0) return;
    written += static_cast<std::size_t>(now);
  }
}

Verdict run_here(const ConformanceTest& test, const Subject& subject, const fs::path& scratch) {
  try {
    Rig rig(subject, scratch);
    test.run(rig);
    return {Outcome::pass, ""};
  } catch (const Ended& ended) {
    return {ended.outcome, ended.text};
  } catch (const Error& error) {
    return {Outcome::fail, "an error came out: " + error.message()};
  } catch (const std::exception& failure) {
    return {Outcome::fail, std::string("an exception that is no Error came out: ") + failure.what()};
  }
}

[[noreturn]] void run_in_child(const ConformanceTest& test, const Subject& subject, const fs::path& scratch,
                               int out) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(null, 1);
  if (std::getenv("AA_KIT_STDERR") == nullptr) ::dup2(null, 2);
  ::close(null);
  auto verdict = run_here(test, subject, scratch);
  if (verdict.outcome == Outcome::fail && !test.must) verdict.outcome = Outcome::warn;
  say(out, verdict.outcome, verdict.text);
  ::_exit(0);
}

// False: not at its end when the time was over.
bool read_to_end(int fd, std::chrono::seconds limit, std::string& text) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 1024> buffer{};
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Verdict verdict_of(const std::string& said, int status) {
  if (!said.empty()) return {static_cast<Outcome>(said.front() - '0'), said.substr(1)};
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {Outcome::crash, "its process ended by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")"};
  }
  return {Outcome::crash, "its process ended with status " + std::to_string(WEXITSTATUS(status))};
}

/// A directory that is removed with all in it, whatever its modes.
class Scratch {
 public:
  Scratch() {
    auto pattern = (fs::temp_directory_path() / "aa-conformance-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error::from_errno(errno, pattern);
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    for (const auto& entry :
         fs::recursive_directory_iterator(path_, fs::directory_options::skip_permission_denied, ignored)) {
      if (entry.is_directory(ignored) && !entry.is_symlink(ignored))
        fs::permissions(entry.path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, 6> kWords{"pass", "skip", "warn", "fail", "crash", "timeout"};
  const auto index = static_cast<std::size_t>(outcome);
  return index < kWords.size() ? kWords[index] : "crash";
}

Verdict run_isolated(const ConformanceTest& test, const Subject& subject) {
  const Scratch scratch;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "a pipe for the test");
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const auto child = ::fork();
  if (child < 0) throw Error::from_errno(errno, "a process for the test");
  if (child == 0) run_in_child(test, subject, scratch.path(), out.get());
  out.reset();
  std::string said;
  const bool ended = read_to_end(in.get(), subject.time_limit, said);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::kill(-child, SIGKILL);  // what it has left running
  if (!ended) return {Outcome::timeout, "not done within " + std::to_string(subject.time_limit.count()) + " s"};
  return verdict_of(said, status);
}

}  // namespace autoarchive::kit
