#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "commands/commands.hpp"
#include "job/backup_search.hpp"
#include "job/rescan.hpp"
#include "output/table.hpp"

namespace autoarchive::host {
namespace {

/// The named directory, or the destinations of all archives.
std::set<std::filesystem::path> directories_of(Session& session, const RescanCommand& command) {
  if (!command.directory.empty()) return {std::filesystem::absolute(command.directory).lexically_normal()};
  std::set<std::filesystem::path> directories;
  for (const auto& [name, archive] : session.config().archives) {
    if (!archive.destination.empty()) directories.insert(archive.destination);
  }
  if (directories.empty())
    throw Error(ErrorCode::value_error, "rescan: name the directory with the archives", ErrorCause::usage);
  return directories;
}

/// Goes through directories and writes down what it finds.
class Rescan {
 public:
  Rescan(Session& session, const RescanCommand& command) : session_(session), command_(command) {}

  /// One that can't be read does not hide the others.
  void attempt(const std::filesystem::path& directory) {
    try {
      scan(directory);
    } catch (const Error& error) {
      if (error.cause() == ErrorCause::cancelled) throw;
      status_ = worse(status_, report_error(session_, "", error));
    }
  }

  ExitStatus print() {
    if (!table_.empty()) {
      for (const auto& line : table_.lines()) session_.console().result(line);
    } else {
      session_.console().info("no backups found");
    }
    session_.console().document({{"exit_code", static_cast<int>(status_)},
                                 {"backups", std::move(backups_)},
                                 {"left_alone", std::move(left_alone_)}});
    return status_;
  }

 private:
  void scan(const std::filesystem::path& directory) {
    LocalStorage storage(directory);
    const auto found = look_for_backups(session_, storage, directory);
    std::set<std::string> archives;
    for (const auto& backup : found.backups) archives.insert(backup.identity.archive);
    for (const auto& archive : archives) {
      try {
        for (const auto& backup : rescan_archive(session_, storage, directory, archive, command_.snapshots))
          tell(directory, backup);
      } catch (const Error& error) {  // the other archives still get their manifests
        if (error.cause() == ErrorCause::cancelled) throw;
        status_ = worse(status_, report_error(session_, archive, error));
      }
    }
    for (const auto& other : found.others) tell(directory, other);
  }

  void tell(const std::filesystem::path& directory, const RescannedBackup& backup) {
    const auto& identity = backup.identity;
    const auto renamed = backup.file == backup.was ? std::string() : escaped(backup.was);
    table_.add({identity.archive, std::to_string(identity.level), escaped(backup.file), backup.manifest, renamed});
    Json::Object object{{"archive", identity.archive},
                        {"level", identity.level},
                        {"backup", identity.backup_uuid},
                        {"chain", identity.chain_uuid}};
    add_path(object, (directory / backup.file).native());
    object.emplace_back("was", escaped(backup.was));
    object.emplace_back("manifest", backup.manifest);
    object.emplace_back("trouble", backup.trouble);
    object.emplace_back("snapshot", escaped(backup.snapshot));
    backups_.emplace_back(std::move(object));
    if (!backup.snapshot.empty()) {
      session_.console().info(
          fmt::format("{}: goes on from the snapshot {}", quote(backup.file), quote(backup.snapshot)));
    }
    if (!backup.trouble.empty())
      report(backup.problem, identity.archive, fmt::format("{}: {}", quote(backup.file), escaped(backup.trouble)));
  }

  void tell(const std::filesystem::path& directory, const LeftAlone& other) {
    Json::Object object;
    add_path(object, (directory / other.file).native());
    object.emplace_back("reason", escaped(other.reason));
    left_alone_.emplace_back(std::move(object));
    report(other.problem, "", fmt::format("{} {}; left alone", quote(other.file), escaped(other.reason)));
  }

  void report(const std::string& problem, const std::string& archive, std::string text) {
    auto severity = Severity::error;
    if (problem.empty()) severity = Severity::notice;
    if (problem == "archive.unproven") severity = Severity::warning;
    if (severity == Severity::warning) status_ = worse(status_, ExitStatus::warnings);
    if (severity == Severity::error) status_ = worse(status_, ExitStatus::failed);
    session_.console().problem({severity, problem, archive, std::move(text)});
  }

  Session& session_;
  const RescanCommand& command_;
  Table table_{{"ARCHIVE", "LEVEL", "FILE", "MANIFEST", "WAS"}};
  Json::Array backups_;
  Json::Array left_alone_;
  ExitStatus status_ = ExitStatus::ok;
};

}  // namespace

ExitStatus run_command(Session& session, const RescanCommand& command) {
  std::error_code error;
  if (!command.snapshots.empty() && !std::filesystem::is_directory(command.snapshots, error)) {
    throw Error(ErrorCode::value_error,
                fmt::format("rescan: --snapshots {} is not a directory; the original's is ~/.config/aa/snapshots",
                            quote(command.snapshots.native())),
                ErrorCause::usage);
  }
  Rescan rescan(session, command);
  for (const auto& directory : directories_of(session, command)) rescan.attempt(directory);
  return rescan.print();
}

}  // namespace autoarchive::host
