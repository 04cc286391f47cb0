#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "autoarchive/base/child_answer.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/kit/conformance.hpp"
#include "rig.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

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

// What the child says: one digit, the outcome, then the text. Nothing: it did not come to its end.
void run_in_child(const ConformanceTest& test, const Subject& subject, const fs::path& scratch, int out) {
  auto verdict = run_here(test, subject, scratch);
  if (verdict.outcome == Outcome::fail && !test.must) verdict.outcome = Outcome::warn;
  write_answer(out, std::to_string(static_cast<int>(verdict.outcome)) + verdict.text);
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
  const auto answer =
      ask_in_child({[&](int out) { run_in_child(test, subject, scratch.path(), out); }, subject.time_limit,
                    /*keeps_standard_error=*/std::getenv("AA_KIT_STDERR") != nullptr});
  if (answer.timed_out)
    return {Outcome::timeout, "not done within " + std::to_string(subject.time_limit.count()) + " s"};
  return verdict_of(answer.text, answer.status);
}

}  // namespace autoarchive::kit
