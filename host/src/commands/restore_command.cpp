#include <fmt/format.h>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"

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

class RestoreReport final : public IRestoreObserver {
 public:
  explicit RestoreReport(Session& session) : session_(session) {}

  void restored(const ArchiveMember& member) override {
    if (session_.console().options().verbosity >= Verbosity::verbose) {
      session_.console().detail(Verbosity::verbose, "A " + quote(member.entry.path));
    }
  }
  void removed(std::string_view path) override { session_.console().detail(Verbosity::verbose, "D " + quote(path)); }
  void problem(std::string_view path, std::string_view text) override {
    session_.console().problem({Severity::warning, "file.meta", "", fmt::format("{}: {}", quote(path), escaped(text))});
  }

 private:
  Session& session_;
};

void report_missing(Session& session, const RestoreResult& result) {
  for (const auto& path : result.not_found) {
    session.console().problem({Severity::error, "", "", fmt::format("{} is not in this backup", quote(path))});
  }
}

Json::Object as_json(const RestoreResult& result, ExitStatus status) {
  Json::Array missing(result.not_found.begin(), result.not_found.end());
  return {{"exit_code", static_cast<int>(status)}, {"entries", result.entries},
          {"content_bytes", result.content_bytes}, {"removed", result.removed},
          {"problem_count", result.problems},      {"not_found", std::move(missing)}};
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
  auto source = open_source(session, target, command.destination);
  const auto reader = session.providers().reader_for(*source.levels.back().file);

  RestoreReport report(session);
  RestoreRequest request;
  request.levels = std::move(source.levels);
  request.target = command.to;
  for (const auto& path : command.paths) request.paths.push_back(normalize_path(path));
  request.overwrite = overwrite_policy(command.overwrite);
  request.owner = owner_policy(command.owner);
  request.delete_others = command.delete_others;
  request.dry_run = session.options().dry_run;
  request.stop = session.process().stop;
  request.observer = &report;
  const auto result = reader->restore(request);

  report_missing(session, result);
  const auto status = !result.not_found.empty() ? ExitStatus::no_such_backup
                      : result.problems > 0     ? ExitStatus::warnings
                                                : ExitStatus::ok;
  session.console().info(fmt::format("{}: {} {} entries, {}, into {}", source.description,
                                     request.dry_run ? "would restore" : "restored", result.entries,
                                     format_bytes({result.content_bytes}), quote(command.to.native())));
  session.console().document(as_json(result, status));
  return status;
}

}  // namespace autoarchive::host
