/// \file
/// Turns a provider's reports into problems with stable ids, and counts them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/backup_observer.hpp"
#include "config/config.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

/// What a report is about.
struct ProblemSubject {
  std::string_view name;  ///< a path; empty: the job
  bool is_include = false;
  bool is_directory = false;
};

/// Subscribes to one job. Prints each problem as it comes.
class ProblemReporter final : public IBackupObserver {
 public:
  /// `includes` are the paths that were asked for: when one of them is missing, that is a warning and not a notice.
  /// Whether a path is a directory is looked at below `root`. `rules` say what counts as what; one that says "error"
  /// ends the backup: the call throws Error.
  ProblemReporter(Console& console, std::string archive, std::filesystem::path root, std::set<std::string> includes,
                  const std::vector<ProblemRule>& rules = {});
  ~ProblemReporter() override;

  void backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                              std::optional<std::string_view> name,
                              std::optional<std::string_view> error_text) override;
  void notice(std::string_view text) override;

  [[nodiscard]] std::uint64_t warnings() const noexcept { return warnings_; }

 private:
  [[nodiscard]] std::optional<ProblemRule::Treatment> treatment_of(std::string_view id,
                                                                   const ProblemSubject& subject) const;

  [[nodiscard]] bool is_directory(std::string_view path) const;

  Console& console_;
  std::string archive_;
  std::filesystem::path root_;
  std::set<std::string> includes_;
  struct CompiledRule;
  std::vector<CompiledRule> rules_;
  std::uint64_t warnings_ = 0;
};

/// The stable id and severity of a report; the text is for people. Pure.
[[nodiscard]] Problem problem_of(BackupSubOperation operation, BackupOperationError error,
                                 const ProblemSubject& subject, std::string_view error_text);

}  // namespace autoarchive::host
