/// \file
/// Programs of the user's at points of a run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "config/config.hpp"
#include "output/json.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// What a hook is told: as AA_ARCHIVE, AA_LEVEL, AA_RESULT, AA_FILE and AA_SNAPSHOT, and as one JSON document on
/// standard input.
struct HookFacts {
  std::string archive;
  std::optional<int> level;
  std::string result;    ///< ok, warnings, held, failed, not_now; empty before
  std::string file;      ///< of the new backup
  std::string snapshot;  ///< directory that the snapshot hook has named
  std::string error;     ///< of a failed run
};

/// Where hooks look for programs: PATH, or as root a fixed one.
[[nodiscard]] std::string hook_path(const ProcessContext& process);

/// Runs the hooks of one archive, or of the run. What they write goes to the events, and with `-v` to the user. Not
/// thread-safe.
class Hooks {
 public:
  /// Both must outlive this object.
  Hooks(Session& session, const std::vector<HookRule>& rules) : session_(session), rules_(rules) {}

  /// Runs those at this point, in their order. Throws Error for the first that fails: cause not_now if its status says
  /// so, cancelled if a stop was requested meanwhile, else runtime_error. The message begins with "hook at ", by which
  /// problem_id_of() knows it.
  void require(HookPoint at, const HookFacts& facts);
  /// Runs those at this point; a failure is a warning. After a stop was requested they still run, but all hooks of the
  /// process together have less than two seconds for it. Returns how many have failed.
  std::size_t attempt(HookPoint at, const HookFacts& facts);

 private:
  friend class Snapshot;
  /// What it has written to standard output. `stoppable` as above.
  std::string run(const HookRule& rule, const std::vector<std::string>& words, const HookFacts& facts, bool stoppable);
  void warn(const HookFacts& facts, const Error& error);

  Session& session_;
  const std::vector<HookRule>& rules_;
};

/// The directory that an archive's snapshot hook has made of its root; taken away with this object, and, should the
/// process die before, by the next run.
class Snapshot {
 public:
  /// Runs the hook, if there is one, after taking away what a dead run has left. Throws as Hooks::require().
  Snapshot(Hooks& hooks, HookFacts facts);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// Empty: there is no such hook.
  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
  /// True if it is gone, or there was none. Called at most once.
  bool release();

 private:
  [[nodiscard]] std::filesystem::path note() const;

  Hooks& hooks_;
  HookFacts facts_;
  const HookRule* rule_ = nullptr;
  bool made_ = false;
  std::filesystem::path directory_;
};

}  // namespace autoarchive::host
