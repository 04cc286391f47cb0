#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "config/plain_path.hpp"
#include "events/progress_display.hpp"
#include "job/restore_text.hpp"
#include "output/entry_text.hpp"

namespace autoarchive::host {
namespace {

OverwritePolicy overwrite_policy(const std::string& word) {
  if (word == "never") return OverwritePolicy::never;
  return word == "newer" ? OverwritePolicy::newer : OverwritePolicy::always;
}

OwnerPolicy owner_policy(const std::string& word) {
  if (word == "none") return OwnerPolicy::none;
  return word == "ids" ? OwnerPolicy::ids : OwnerPolicy::names;
}

constexpr std::size_t kMaxRemovedInDocument = 10'000;

class RestoreReport final : public IRestoreObserver {
 public:
  RestoreReport(Session& session, const std::string& what)
      : session_(session), display_(session.console(), what, session.progress_style()) {}

  /// What a restore of everything brings; else there are no percents.
  void set_totals(const ManifestClosing& closing) {
    progress_.total_entries = closing.entries;
    progress_.total_content_bytes = closing.content_bytes;
  }

  void restored(const ArchiveMember& member) override {
    if (session_.console().options().verbosity >= Verbosity::verbose)
      session_.console().detail(Verbosity::verbose, "A " + quote(member.entry.path));
  }
  // What a dry run would remove is what it is asked for.
  void removed(std::string_view path) override {
    const auto level = session_.options().dry_run ? Verbosity::normal : Verbosity::verbose;
    session_.console().detail(level, "D " + quote(path));
    Json::Object object;
    add_path(object, path);
    if (removed_.size() < kMaxRemovedInDocument) removed_.emplace_back(std::move(object));
  }
  void problem(std::string_view path, std::string_view text) override {
    report(Severity::warning, "file.meta", path, text);
  }
  void damaged(std::string_view path, std::string_view text) override {
    report(Severity::error, "archive.damaged", path, text);
  }
  void progress(std::uint64_t entries, std::uint64_t content_bytes) override {
    progress_.entries = entries;
    progress_.content_bytes = content_bytes;
    display_.progress(progress_);
  }

  [[nodiscard]] Json::Array take_removed() { return std::move(removed_); }

 private:
  void report(Severity severity, const char* id, std::string_view path, std::string_view text) {
    session_.console().problem({severity, id, "", remark_on(path, text)});
  }

  Session& session_;
  ProgressDisplay display_;
  BackupProgress progress_;
  Json::Array removed_;
};

void report_missing(Session& session, const RestoreResult& result) {
  for (const auto& path : result.not_found)
    session.console().problem({Severity::error, "", "", fmt::format("{} is not in this backup", quote(path))});
}

ExitStatus status_of(const RestoreResult& result) {
  if (result.damaged > 0) return ExitStatus::failed;
  if (!result.not_found.empty()) return ExitStatus::no_such_backup;
  return result.problems > 0 ? ExitStatus::warnings : ExitStatus::ok;
}

/// Bytes that can be written where the target is, or where it would be made.
std::optional<std::uint64_t> free_bytes(std::filesystem::path target) {
  std::error_code error;
  for (target = std::filesystem::absolute(target).lexically_normal();; target = target.parent_path()) {
    const auto space = std::filesystem::space(target, error);
    if (!error) return space.available;
    if (target == target.root_path()) return std::nullopt;
  }
}

Json::Object as_json(const RestoreResult& result, ExitStatus status) {
  Json::Array missing(result.not_found.begin(), result.not_found.end());
  return {{"exit_code", static_cast<int>(status)}, {"entries", result.entries},
          {"content_bytes", result.content_bytes}, {"removed", result.removed},
          {"problem_count", result.problems},      {"damaged", result.damaged},
          {"not_found", std::move(missing)}};
}

std::string summary(const RestoreCommand& command, const RestoreResult& result, bool dry_run,
                    std::optional<std::uint64_t> free) {
  auto text = fmt::format("{} {} entries, {}, into {}", dry_run ? "would restore" : "restored", result.entries,
                          format_bytes({result.content_bytes}), quote(command.to.native()));
  if (result.removed > 0) text += fmt::format("; {} {}", dry_run ? "would remove" : "removed", result.removed);
  if (free) text += fmt::format("; {} are free there", format_bytes({*free}));
  return text;
}

/// Where backups and their state lie.
std::vector<std::filesystem::path> what_stays(Session& session, const BackupSource& source) {
  std::vector<std::filesystem::path> stays{session.config().state_dir};
  for (const auto& [name, archive] : session.config().archives) stays.push_back(archive.destination);
  for (const auto& level : source.levels) {
    if (!level.file) continue;
    const std::filesystem::path file(level.file->description());
    stays.push_back(source.archive.empty() ? file : file.parent_path());
  }
  return stays;
}

// A destination inside of the root is no part of the backup, and so one of the others.
void check_deletion(Session& session, const RestoreCommand& command, const BackupSource& source) {
  auto areas = command.paths;
  if (areas.empty()) areas.emplace_back(".");
  for (const auto& path : what_stays(session, source)) {
    for (const auto& area : areas) {
      if (!lies_in(path, command.to / area)) continue;
      throw Error(ErrorCode::value_error,
                  fmt::format("restore --delete: {} holds backups or their state, and would be removed; leave out "
                              "--delete, or name only paths beside it",
                              quote(path.native())),
                  ErrorCause::usage);
    }
  }
}

/// That is there; what stands for a missing one is empty.
const ReadableFile& newest_file(const BackupSource& source) {
  const auto found = std::find_if(source.levels.rbegin(), source.levels.rend(),
                                  [](const auto& level) { return level.file->size() > 0; });
  return *(found == source.levels.rend() ? source.levels.back() : *found).file;
}

RestoreRequest request_of(Session& session, const RestoreCommand& command, BackupSource& source,
                          RestoreReport& report) {
  RestoreRequest request;
  request.levels = std::move(source.levels);
  request.target = command.to;
  for (const auto& path : command.paths) {
    // What a variable of a script that is not set becomes.
    if (path.empty()) throw Error(ErrorCode::value_error, "restore: a path is empty", ErrorCause::usage);
    request.paths.push_back(normalize_path(path));
  }
  request.overwrite = overwrite_policy(command.overwrite);
  request.owner = owner_policy(command.owner);
  request.delete_others = command.delete_others;
  request.salvage = command.salvage;
  request.dry_run = session.options().dry_run;
  request.stop = session.process().stop;
  request.observer = &report;
  return request;
}

ExitStatus print_script(Session& session, const RestoreCommand& command, const BackupSource& source) {
  if (!command.paths.empty()) {
    throw Error(ErrorCode::value_error, "restore --script: restores everything; leave out the paths",
                ErrorCause::usage);
  }
  if (command.to.native().ends_with('\n')) {
    throw Error(ErrorCode::value_error, "restore --script: a shell can't name a directory that ends with a line end",
                ErrorCause::usage);
  }
  const auto status = source.has_faults   ? ExitStatus::failed
                      : source.is_partial ? ExitStatus::warnings
                                          : ExitStatus::ok;
  std::vector<std::string> files;
  for (const auto& level : source.levels) {
    files.push_back(std::filesystem::absolute(level.file->description()).lexically_normal().native());
  }
  auto script = restore_script(files, std::filesystem::absolute(command.to).lexically_normal().native());
  session.console().document({{"exit_code", static_cast<int>(status)}, {"script", script}});
  script.pop_back();  // the console ends the line
  session.console().result(script);
  return status;
}

}  // namespace

ExitStatus run_command(Session& session, const RestoreCommand& command) {
  auto target = command.target;
  if (!command.at.empty()) {
    if (!target.selector.empty()) {
      throw Error(ErrorCode::value_error, "restore: give a selector or --at, not both", ErrorCause::usage);
    }
    target.selector = command.at;
  }
  if (command.to.empty()) throw Error(ErrorCode::value_error, "restore --to: name a directory", ErrorCause::usage);
  const auto missing = missing_newest_of(session, target, command.destination);
  if (!missing.empty())
    session.console().problem({Severity::warning, "archive.missing", target.archive, escaped(missing)});
  auto source = open_source(session, target, command.destination, command.salvage ? Gaps::left : Gaps::refused);
  report_remarks(session, source);
  if (command.script) return print_script(session, command, source);
  if (command.delete_others && source.is_partial) {
    throw Error(ErrorCode::runtime_error,
                fmt::format("restore --delete: what {} is based on is not there, or not known, and what that has would "
                            "be removed; leave out --delete",
                            source.description),
                ErrorCause::damaged);
  }
  if (command.delete_others) check_deletion(session, command, source);
  const auto reader = session.providers().reader_for(newest_file(source));

  RestoreReport report(session, source.description);
  if (command.paths.empty() && source.closing) report.set_totals(*source.closing);
  const auto request = request_of(session, command, source, report);
  const auto result = reader->restore(request);

  report_missing(session, result);
  auto status = status_of(result);
  if (!command.owner.empty() && request.owner != OwnerPolicy::none && ::geteuid() != 0) {
    session.console().problem({Severity::warning, "file.meta", "",
                               "only root can give files to others: what was restored is yours; see --owner none"});
    status = worse(status, ExitStatus::warnings);
  }
  if (source.is_partial || !missing.empty()) status = worse(status, ExitStatus::warnings);
  if (source.has_faults) status = worse(status, ExitStatus::failed);  // what came back was not compared with it
  const auto free = request.dry_run ? free_bytes(command.to) : std::nullopt;
  session.console().info(source.description + ": " + summary(command, result, request.dry_run, free));
  if (free && *free < result.content_bytes) {
    session.console().problem({Severity::warning, "dest.full", "",
                               fmt::format("{} has not enough space: {} are missing", quote(command.to.native()),
                                           format_bytes({result.content_bytes - *free}))});
  }
  auto document = as_json(result, status);
  if (free) document.emplace_back("free_bytes", *free);
  document.emplace_back("removed_paths", report.take_removed());
  session.console().document(std::move(document));
  return status;
}

}  // namespace autoarchive::host
