#include "events/problem_reporter.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/tree/filter.hpp"
#include "events/problem_ids.hpp"

namespace autoarchive::host {
namespace {

// GNU tar's own words for a file that went away between its listing and its turn.
bool tells_of_vanishing(std::string_view text) {
  return text == errno_text(ENOENT) || text.starts_with("File removed before we read it");
}

// What else can be wrong with a directory, e.g. its attributes, leaves out nothing of what is in it.
bool is_listing(BackupSubOperation operation, const ProblemSubject& subject) {
  return subject.is_directory && (operation == BackupSubOperation::open || operation == BackupSubOperation::stat);
}

Problem unreadable(bool is_listing, std::string_view what, std::string_view text) {
  if (!is_listing) return {Severity::warning, "file.unreadable", "", fmt::format("{}: {}", what, text)};
  return {Severity::warning, "dir.unreadable", "",
          fmt::format("directory {} can't be listed, what is in it is not stored: {}", what, text)};
}

Problem file_problem(BackupSubOperation operation, const ProblemSubject& subject, std::string_view what,
                     std::string_view text) {
  // Nothing is below what is no directory.
  const bool is_nowhere = tells_of_vanishing(text) || text == errno_text(ENOTDIR);
  if (subject.is_include && is_nowhere)
    return {Severity::warning, "source.missing", "", fmt::format("{} does not exist", what)};
  if (tells_of_vanishing(text))
    return {Severity::notice, "file.vanished", "", fmt::format("{} vanished before it was read", what)};
  if (operation == BackupSubOperation::read) {
    return {Severity::warning, "file.io", "", fmt::format("{}: reading failed: {}", what, escaped(text))};
  }
  return unreadable(is_listing(operation, subject), what, escaped(text));
}

}  // namespace

Problem problem_of(BackupSubOperation operation, BackupOperationError error, const ProblemSubject& subject,
                   std::string_view error_text) {
  const std::string what = subject.name.empty() ? std::string("archiver") : quote(subject.name);
  switch (error) {
    case BackupOperationError::permission_denied:
      return unreadable(is_listing(operation, subject), what,
                        subject.is_directory ? "permission denied" : "permission denied, not stored");
    case BackupOperationError::socket_ignored:
      return {Severity::notice, "file.unsupported", "", fmt::format("{} is a socket, not stored", what)};
    case BackupOperationError::unknown_type_ignored:
      return {Severity::warning, "file.unsupported", "",
              fmt::format("{} has a type that tar can't express, not stored", what)};
    case BackupOperationError::file_changed:
      return {Severity::warning, "file.changed", "", fmt::format("{} changed while it was read", what)};
    case BackupOperationError::some_files_changed:
      return {Severity::notice, "file.changed", "", "some files changed while they were read"};
    case BackupOperationError::directory_renamed:
      return {Severity::notice, "", "", fmt::format("{} was renamed", what)};
    case BackupOperationError::unknown_error:
    case BackupOperationError::unknown_os_error:
      break;
  }
  return file_problem(operation, subject, what, error_text);
}

struct ProblemReporter::CompiledRule {
  std::string on;
  std::optional<Filter> match;  // none: every path
  ProblemRule::Treatment as;
};

ProblemReporter::ProblemReporter(Console& console, std::string archive, std::filesystem::path root,
                                 std::set<std::string> includes, const std::vector<ProblemRule>& rules)
    : console_(console), archive_(std::move(archive)), root_(std::move(root)), includes_(std::move(includes)) {
  for (const auto& rule : rules) {
    FilterRules pattern;
    if (!rule.match.empty()) pattern.exclude = {rule.match};
    rules_.push_back({rule.on, rule.match.empty() ? std::nullopt : std::optional<Filter>(std::move(pattern)), rule.as});
  }
}

ProblemReporter::~ProblemReporter() = default;

std::optional<ProblemRule::Treatment> ProblemReporter::treatment_of(std::string_view id,
                                                                    const ProblemSubject& subject) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (!id_matches(rule->on, id)) continue;
    if (!rule->match) return rule->as;
    const bool is_path = !subject.name.empty();
    if (is_path && rule->match->decide_with_parents(subject.name, subject.is_directory).excluded) return rule->as;
  }
  return std::nullopt;
}

// A report does not say what it is about. One that is gone meanwhile, or too long to be asked for, counts as a file.
bool ProblemReporter::is_directory(std::string_view path) const {
  std::error_code error;
  return !path.empty() &&
         std::filesystem::symlink_status(root_ / path, error).type() == std::filesystem::file_type::directory;
}

void ProblemReporter::backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                                             std::optional<std::string_view> name,
                                             std::optional<std::string_view> error_text) {
  using Treatment = ProblemRule::Treatment;
  std::string_view path = name.value_or("");
  while (path.ends_with('/')) path.remove_suffix(1);  // as GNU tar calls a directory
  const ProblemSubject subject{path, includes_.contains(std::string(path)), is_directory(path)};
  auto problem = problem_of(operation, error, subject, error_text.value_or(""));
  problem.archive = archive_;
  const auto treatment = problem.id.empty() ? std::nullopt : treatment_of(problem.id, subject);
  if (treatment == Treatment::ignore) return;
  if (treatment == Treatment::error) {
    throw Error(ErrorCode::runtime_error,
                problem.text + " (" + problem.id + "), which ends the backup by a rule of problems");
  }
  if (treatment) problem.severity = treatment == Treatment::notice ? Severity::notice : Severity::warning;
  if (problem.severity != Severity::notice) ++warnings_;
  console_.problem(problem);
}

void ProblemReporter::notice(std::string_view text) {
  console_.problem({Severity::notice, "", archive_, escaped(text)});
}

}  // namespace autoarchive::host
