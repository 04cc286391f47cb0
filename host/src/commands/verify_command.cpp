#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "commands/file_verdict.hpp"
#include "events/reading_progress.hpp"
#include "job/tree_difference.hpp"
#include "output/entry_text.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kMaxNamedInText = 10;

/// Told what a restore into nothing finds.
class ProofReport final : public IRestoreObserver {
 public:
  explicit ProofReport(Session& session) : session_(session) {}
  void problem(std::string_view path, std::string_view text) override {
    session_.console().problem({Severity::warning, "file.meta", "", remark_on(path, text)});
  }
  void damaged(std::string_view path, std::string_view text) override {
    session_.console().problem({Severity::error, "archive.damaged", "", remark_on(path, text)});
  }

 private:
  Session& session_;
};

class Verification {
 public:
  Verification(Session& session, const VerifyCommand& command)
      : session_(session), command_(command), depth_(*parse_depth(command.level)) {}

  /// What is left of an archive may be whole, and old.
  ExitStatus check_newest(const Target& target) {
    const auto missing = missing_newest_of(session_, target, command_.destination);
    if (missing.empty()) return ExitStatus::ok;
    session_.console().problem({Severity::error, "archive.missing", target.archive, escaped(missing)});
    return ExitStatus::failed;
  }

  ExitStatus check(const Target& target) {
    auto source = open_source(session_, target, command_.destination);
    report_remarks(session_, source);
    auto status = source.has_faults || source.has_other_manifest ? ExitStatus::failed
                  : source.remarks.empty()                       ? ExitStatus::ok
                                                                 : ExitStatus::warnings;
    const auto reader = session_.providers().reader_for(*source.levels.back().file);
    // Each file for itself; what stands in other files is a matter of a restore.
    const bool is_alone = source.own_manifest != nullptr;
    if (is_alone) std::swap(source.own_manifest, source.levels.back().manifest);
    const auto verdicts = check_files(source, *reader);
    if (is_alone) std::swap(source.own_manifest, source.levels.back().manifest);
    for (const auto& verdict : verdicts) {
      report(verdict);
      if (!verdict.remarks.empty()) status = worse(status, ExitStatus::warnings);
      if (!verdict.faults.empty()) status = worse(status, ExitStatus::failed);
    }
    RestoreResult proof;
    const bool is_whole = status != ExitStatus::failed;
    if (depth_ >= VerifyDepth::source && is_whole) status = worse(status, compare_with_source(source, *reader));
    if (depth_ >= VerifyDepth::restore && is_whole) {
      proof = prove(std::move(source.levels), *reader);
      if (proof.problems > 0) status = worse(status, proof.damaged > 0 ? ExitStatus::failed : ExitStatus::warnings);
    }
    summarise(source.description, verdicts, proof, status);
    remember(source.archive, verdicts, proof.damaged == 0);
    return status;
  }

  void print(ExitStatus status) {
    session_.console().document({{"exit_code", static_cast<int>(status)}, {"targets", std::move(targets_)}});
  }

 private:
  std::vector<FileVerdict> check_files(const BackupSource& source, IArchiveReader& reader) {
    std::uint64_t bytes = 0;
    for (const auto& level : source.levels) bytes += level.file->size();
    ReadingProgress progress(session_.console(), source.description, session_.progress_style(), bytes);
    std::vector<FileVerdict> verdicts;
    for (const auto& level : source.levels) verdicts.push_back(check_file(session_, level, reader, depth_, progress));
    return verdicts;
  }

  void report(const FileVerdict& verdict) {
    for (const auto& fault : verdict.faults) {
      session_.console().problem(
          {Severity::error, "archive.damaged", "", fmt::format("{}: {}", quote(verdict.name), escaped(fault))});
    }
    for (const auto& remark : verdict.remarks) {
      session_.console().problem(
          {Severity::warning, remark.problem, "", fmt::format("{}: {}", quote(verdict.name), escaped(remark.text))});
    }
    const auto& result = verdict.result;
    if (result.lost_members == 0 && result.whole_members == 0) return;
    std::string names;
    for (std::size_t i = 0; i < std::min(result.lost.size(), kMaxNamedInText); ++i)
      names += (i == 0 ? "" : ", ") + quote(result.lost[i]);
    if (result.lost_members > kMaxNamedInText) names += ", …";
    session_.console().problem(
        {Severity::error, "archive.damaged", "",
         fmt::format("{}: {} of its members can still be restored; {} can't{}{}", quote(verdict.name),
                     result.whole_members, result.lost_members, names.empty() ? "" : ": ", names)});
  }

  RestoreResult prove(std::vector<ArchiveLevel> levels, IArchiveReader& reader) {
    ProofReport report(session_);
    RestoreRequest request;
    request.levels = std::move(levels);
    request.stop = session_.process().stop;
    request.observer = &report;
    return reader.prove(request);
  }

  // What has changed since the backup is no damage.
  ExitStatus compare_with_source(const BackupSource& source, IArchiveReader& archive_reader) {
    const auto& manifest = source.levels.back().manifest;
    if (source.archive.empty()) {
      throw Error(ErrorCode::value_error,
                  "verify --level source: " + source.description + " is no archive of the configuration",
                  ErrorCause::usage);
    }
    if (!manifest) {
      throw Error(ErrorCode::runtime_error, "verify --level source: " + source.description +
                                                " has no manifest to compare the tree with; aa rescan makes one");
    }
    ArchiveOverrides overrides;
    overrides.destination = command_.destination;
    auto archive = session_.archive(source.archive, overrides);
    auto reader = std::make_unique<ManifestReader>(open_local_file(manifest->description()));
    if (archive.root.empty()) archive.root = reader->header().root;
    auto status = ExitStatus::ok;
    const auto warn = [&](const char* id, const std::string& text) {
      session_.console().problem({Severity::warning, id, source.archive, text});
      status = ExitStatus::warnings;
    };
    compare_with_tree(
        std::move(reader), archive, /*every_content=*/true,
        [&](const std::string& path, Sink& out) { archive_reader.read_content(source.levels, path, out); },
        [&](const TreeDifference& difference) {
          const auto how = difference.letter == 'A' ? std::string("is not in the backup")
                           : difference.letter == 'D'
                               ? std::string("is not in the tree any more")
                               : fmt::format("is not as in the backup: {}", fmt::join(difference.what, ", "));
          warn("file.changed", fmt::format("{} {}", quote(difference.path), how));
        },
        [&](std::string_view path, int os_errno) {
          warn("file.unreadable", fmt::format("{}: {}, not compared", quote(path), errno_text(os_errno)));
        },
        session_.process().stop);
    return status;
  }

  void summarise(const std::string& description, const std::vector<FileVerdict>& verdicts, const RestoreResult& proof,
                 ExitStatus status) {
    std::uint64_t members = 0;
    std::uint64_t bytes = 0;
    Json::Array files;
    for (const auto& verdict : verdicts) {
      members += verdict.result.members;
      bytes += verdict.result.content_bytes;
      files.emplace_back(as_json(verdict));
    }
    auto text = fmt::format("{}: {} files", description, verdicts.size());
    if (depth_ >= VerifyDepth::data) text += fmt::format(", {} members, {}", members, format_bytes({bytes}));
    if (depth_ >= VerifyDepth::restore) text += fmt::format(", {} entries as they were", proof.entries);
    session_.console().info(
        fmt::format("{}: {} ({})", text, status == ExitStatus::failed ? "damaged" : "whole", to_string(depth_)));
    targets_.emplace_back(Json::Object{{"target", description},
                                       {"level", to_string(depth_)},
                                       {"exit_code", static_cast<int>(status)},
                                       {"files", std::move(files)},
                                       {"restorable_entries", proof.entries},
                                       {"damaged_entries", proof.damaged}});
  }

  // Of a file that was named, no archive is known that it belongs to.
  void remember(const std::string& archive, const std::vector<FileVerdict>& verdicts, bool is_proof_whole) {
    if (archive.empty()) return;
    const auto now = std::chrono::system_clock::now();
    std::vector<VerifyRecord> fresh;
    for (const auto& verdict : verdicts) {
      if (verdict.backup_uuid.empty()) continue;
      const bool is_last = &verdict == &verdicts.back();
      const auto depth = is_last ? depth_ : std::min(depth_, VerifyDepth::data);
      const bool is_whole = verdict.faults.empty() && (!is_last || is_proof_whole);
      fresh.push_back({verdict.backup_uuid, depth, now, is_whole, !is_whole && verdict.is_unread});
    }
    const auto backups = read_backups(session_, archive, command_.destination);
    remember_verified(session_.config().state_dir, archive, backups.archive.destination, fresh,
                      known_backups(backups.catalog));
  }

  Session& session_;
  const VerifyCommand& command_;
  VerifyDepth depth_;
  Json::Array targets_;
};

/// What is verified where nothing is named. Nothing to verify is no success.
ExitStatus add_all_targets(Session& session, const VerifyCommand& command, std::vector<Target>& targets) {
  auto [names, status] = archives_to_read(session, {}, command.destination);
  for (const auto& name : names) targets.push_back({name, ""});
  if (!targets.empty()) return status;
  if (!command.destination)
    throw Error(ErrorCode::value_error, "verify: name an archive or an archive file", ErrorCause::usage);
  const Error nothing(ErrorCode::key_error,
                      fmt::format("{} has no backup that can be verified", quote(*command.destination)),
                      ErrorCause::no_such_backup);
  return worse(status, report_error(session, "", nothing));
}

}  // namespace

ExitStatus run_command(Session& session, const VerifyCommand& command) {
  auto targets = command.targets;
  auto status = targets.empty() ? add_all_targets(session, command, targets) : ExitStatus::ok;
  Verification verification(session, command);
  for (const auto& target : targets) {
    try {
      status = worse(status, verification.check_newest(target));
      status = worse(status, verification.check(target));
    } catch (const Error& error) {  // the others are still checked
      if (error.cause() == ErrorCause::cancelled) throw;
      status = worse(status, report_error(session, target.archive, error));
    }
  }
  verification.print(status);
  return status;
}

}  // namespace autoarchive::host
