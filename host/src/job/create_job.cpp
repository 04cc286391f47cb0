#include "job/create_job.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "events/backup_events.hpp"
#include "events/entry_lines.hpp"
#include "events/problem_reporter.hpp"
#include "events/progress_display.hpp"
#include "job/archive_files.hpp"
#include "job/archive_transaction.hpp"
#include "job/destination_record.hpp"
#include "job/dry_run.hpp"
#include "job/keeping.hpp"
#include "job/next_backup.hpp"
#include "job/pins.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

Error missing_setting(const ArchiveConfig& archive, const char* key) {
  return {
      ErrorCode::value_error,
      fmt::format("archive {} has no {}; give --{} DIR, or set it in the configuration", quote(archive.name), key, key),
      ErrorCause::usage};
}


class CreateJob {
 public:
  CreateJob(Session& session, const CreateCommand& command, const ArchiveConfig& archive)
      : session_(session),
        command_(command),
        archive_(archive),
        type_(session.providers().type(archive.type)),
        storage_(archive.destination) {}

  CreateOutcome run() {
    if (session_.options().dry_run) return dry_run();
    try {
      return attempt(/*lost_state=*/{});
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::state_lost || command_.level) throw;
      // Nothing was committed. The locks are taken again, and everything is decided anew.
      return attempt(error.message());
    }
  }

 private:
  [[nodiscard]] BackupCatalog catalog() const {
    return BackupCatalog::read(storage_, archive_.name, session_.providers().types());
  }

  [[nodiscard]] NextBackup decide(const BackupCatalog& backups, const std::string& lost_state, bool locked) {
    const NextBackupWish wish{command_.full, command_.level, command_.next_level, lost_state,
                              std::chrono::system_clock::now()};
    return next_backup(session_, archive_, backups, record_, wish, locked ? &storage_ : nullptr);
  }

  [[nodiscard]] BackupRequest request(const NextBackup& next, const BackupCatalog& backups) const {
    BackupRequest request;
    request.definition = definition_of(archive_, type_);
    request.compression_strength = archive_.strength;
    if (archive_.incremental) request.level = next.choice.level;
    request.overwrite_at_start = archive_.overwrite_at_start;
    request.identity = next.identity;
    request.filter = archive_.filter;
    request.metadata = archive_.metadata;
    request.threads = archive_.threads;
    request.allow_empty = archive_.allow_empty;
    request.parent_manifest = next.parent_manifest;
    request.sync = session_.syncs();
    request.stop = session_.process().stop;
    request.plan = plan(next, backups);
    return request;
  }

  [[nodiscard]] CommitPlan plan(const NextBackup& next, const BackupCatalog& backups) const {
    KeepQuestion question;
    question.files = kept_files(storage_, backups,
                                read_holds(session_.config().state_dir, archive_.name, storage_, backups));
    question.made = BackupName{archive_.name, type_, next.choice.level, ""};
    question.generations = archive_.keep.generations;
    question.remove_surplus = archive_.levels.remove_obsolete;
    question.foreign = foreign_names(storage_, archive_.name, question.files);
    return plan_keeping(question).plan;
  }

  CreateOutcome attempt(const std::string& lost_state) {
    auto options = transaction_options(session_, archive_);
    options.new_destination = command_.new_destination;
    const auto transaction = storage_.begin(options);
    for (const auto& line : transaction->recovered()) notice(line);

    read_record();
    const auto backups = catalog();
    const auto next = decide(backups, lost_state, /*locked=*/true);
    tell(next.choice);
    auto wanted = request(next, backups);
    wanted.storage = &storage_;
    wanted.transaction = transaction.get();
    auto outcome = make(wanted, next);
    remember_marker(session_.config().state_dir, archive_.name, archive_.destination, transaction->marker());
    return outcome;
  }

  void read_record() {
    auto file = read_archive_record(session_.config().state_dir, archive_.name);
    if (!file.fault.empty()) notice(file.fault + "; what it said of earlier runs is lost", "state.lost");
    record_ = std::move(file.record);
  }

  void tell(const LevelChoice& choice) {
    if (choice.rule == LevelRule::broken_chain) notice("level 0 instead of an increment: " + choice.reason);
    if (choice.restarted())
      notice(fmt::format("level {} instead of {}: {}", choice.level, choice.in_a_row, choice.reason));
  }

  CreateOutcome make(BackupRequest& request, const NextBackup& next) {
    BackupEvents events;
    ProblemReporter problems(session_.console(), archive_.name, archive_.include);
    EntryLines lines(session_.console());
    JobEvents job_events(session_.events(), archive_.name);
    ProgressDisplay progress(session_.console(), archive_.name, session_.progress_style());
    events.subscribe(problems, Subscription::without_entries);
    if (session_.console().options().verbosity >= Verbosity::verbose) events.subscribe(lines);
    if (session_.events().is_open()) events.subscribe(job_events);
    events.subscribe(progress, Subscription::without_entries);
    request.observer = &events;

    const auto began = std::chrono::system_clock::now();
    const auto started = Clock::now();
    const auto provider = session_.providers().archiver(next.provider);
    const auto result =
        archive_.incremental ? provider->backup_files_incrementally(request) : provider->backup_files(request);
    const auto elapsed = Clock::now() - started;
    const auto status = problems.warnings() > 0 ? ExitStatus::warnings : ExitStatus::ok;
    RunRecord run;
    run.began = began;
    run.status = status == ExitStatus::ok ? "ok" : "warnings";
    run.seconds = std::chrono::duration<double>(elapsed).count();
    run.warnings = problems.warnings();
    remember(next, result, std::move(run));
    session_.console().status_line("");
    session_.console().info(summary_line(result, next, elapsed));
    return {status, document(result, next, elapsed, problems.warnings())};
  }

  // The backup is committed: that its record can't be written is a warning and no more.
  void remember(const NextBackup& next, const BackupResult& result, RunRecord run) {
    run.level = result.level;
    run.level_rule = to_string(next.choice.rule);
    run.entries = result.summary.entries;
    run.stored_entries = result.summary.stored_entries;
    run.content_bytes = result.summary.content_bytes;
    run.archive_bytes = result.summary.archive_bytes;
    run.backup = result.identity.backup_uuid;
    if (archive_.incremental) add_level(record_, next, result.identity.chain_uuid, run.began);
    save(std::move(run));
  }

  void save(RunRecord run) {
    try {
      add_run(record_, std::move(run));
      record_.defined_in = archive_.defined_in.native();
      write_archive_record(session_.config().state_dir, archive_.name, record_);
    } catch (const Error& error) {
      session_.console().problem({Severity::warning, "state.lost", archive_.name, error.message()});
    }
  }

  [[nodiscard]] std::string summary_line(const BackupResult& result, const NextBackup& next,
                                         Clock::duration elapsed) const {
    const auto& summary = result.summary;
    return fmt::format("{}: level {} by {}: {} of {} entries, {} -> {} in {}: {}", archive_.name, result.level,
                       next.provider, summary.stored_entries, summary.entries, format_bytes({summary.content_bytes}),
                       format_bytes({summary.archive_bytes}), format_duration(elapsed), quote(result.path));
  }

  [[nodiscard]] Json::Object document(const BackupResult& result, const NextBackup& next, Clock::duration elapsed,
                                      std::uint64_t warnings) const {
    Json::Object object{{"archive", archive_.name},  {"status", warnings > 0 ? "warnings" : "ok"},
                        {"level", result.level},     {"level_reason", next.choice.reason},
                        {"provider", next.provider}, {"backup", result.identity.backup_uuid}};
    object.emplace_back("level_rule", to_string(next.choice.rule));
    add_path(object, result.path);
    object.emplace_back("entries", result.summary.entries);
    object.emplace_back("stored_entries", result.summary.stored_entries);
    object.emplace_back("content_bytes", result.summary.content_bytes);
    object.emplace_back("archive_bytes", result.summary.archive_bytes);
    object.emplace_back("sha256", result.summary.archive_sha256);
    object.emplace_back("warnings", warnings);
    object.emplace_back("seconds", std::chrono::duration<double>(elapsed).count());
    return object;
  }

  CreateOutcome dry_run() {
    read_record();
    const auto next = decide(catalog(), {}, /*locked=*/false);
    const auto counts = forecast(session_.console(), archive_, next, storage_);
    auto line = fmt::format("{}: would make level {} ({}) by {}: {} of {} entries, {}", archive_.name,
                            next.choice.level, next.choice.reason, next.provider, counts.stored_entries, counts.entries,
                            format_bytes({counts.content_bytes}));
    if (counts.read_entries > 0) {
      line += fmt::format("; {} files ({}) would be read to see whether they have changed", counts.read_entries,
                          format_bytes({counts.read_bytes}));
    }
    session_.console().info(line);
    return {ExitStatus::ok,
            {{"archive", archive_.name},
             {"status", "dry_run"},
             {"level", next.choice.level},
             {"level_reason", next.choice.reason},
             {"level_rule", to_string(next.choice.rule)},
             {"provider", next.provider},
             {"entries", counts.entries},
             {"stored_entries", counts.stored_entries},
             {"content_bytes", counts.content_bytes},
             {"read_entries", counts.read_entries},
             {"read_bytes", counts.read_bytes},
             {"gone_entries", counts.gone_entries}}};
  }

  void notice(const std::string& text, const std::string& id = {}) {
    session_.console().problem({Severity::notice, id, archive_.name, escaped(text)});
    session_.events().emit("notice", {{"archive", archive_.name}, {"id", id}, {"text", text}});
  }

  Session& session_;
  const CreateCommand& command_;
  const ArchiveConfig& archive_;
  BackupType type_;
  LocalStorage storage_;
  ArchiveRecord record_;
};

}  // namespace

CreateOutcome create_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive) {
  if (archive.root.empty()) throw missing_setting(archive, "root");
  if (archive.destination.empty()) throw missing_setting(archive, "destination");
  return CreateJob(session, command, archive).run();
}

}  // namespace autoarchive::host
