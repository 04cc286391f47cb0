/// \file
/// What a plugin has to keep to, as tests: the same for `aa plugins validate` and for an author's own GoogleTest build.
/// docs/obligations.md numbers the obligations.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::kit {

class Rig;

/// The plugin under test. A plain value.
struct Subject {
  std::filesystem::path plugin;
  /// More plugins (or directories of them) whose readers may read what the subject writes.
  std::vector<std::filesystem::path> companions;
  std::uint32_t seed = 1;                ///< of the contents of files
  std::chrono::seconds time_limit{120};  ///< of one test
};

enum class Outcome : std::uint8_t {
  pass,
  skip,  ///< does not apply to this plugin or this machine; the text says why
  warn,  ///< an obligation that only should be kept is not
  fail,
  crash,    ///< the test's process ended by a signal, or without a word
  timeout,  ///< it did not end within the time limit, and was killed
};
/// "pass", "skip", "warn", "fail", "crash", "timeout".
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;
[[nodiscard]] constexpr bool is_failure(Outcome outcome) noexcept {
  return outcome >= Outcome::fail;
}

struct Verdict {
  Outcome outcome = Outcome::crash;
  std::string text;  ///< why; empty for pass
};

struct ConformanceTest {
  std::string_view group;       ///< packaging, life-cycle, truth, content, faults, interop
  std::string_view name;        ///< e.g. "note-equals-code"
  std::string_view obligation;  ///< its number in docs/obligations.md, e.g. "O-3"
  bool must = true;             ///< false: only should be kept
  void (*run)(Rig& rig);        ///< used by run_isolated() only
};

/// In the order in which they are best run.
[[nodiscard]] std::span<const ConformanceTest> conformance_tests();

/// Runs one test in a child process with a directory of its own, which is removed afterwards. Never throws for what the
/// plugin does. Call it from one thread at a time.
[[nodiscard]] Verdict run_isolated(const ConformanceTest& test, const Subject& subject);

}  // namespace autoarchive::kit
