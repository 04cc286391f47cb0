#include "job/locked_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <utility>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "events/backup_events.hpp"
#include "events/entry_lines.hpp"
#include "events/problem_reporter.hpp"
#include "events/progress_display.hpp"
#include "events/service_status.hpp"
#include "job/archive_catalog.hpp"
#include "job/archive_files.hpp"
#include "job/archive_transaction.hpp"
#include "job/checks.hpp"
#include "job/create_report.hpp"
#include "job/destination_record.hpp"
#include "job/dry_run.hpp"
#include "job/guard.hpp"
#include "job/keeping.hpp"
#include "job/lost_manifests.hpp"
#include "job/next_backup.hpp"
#include "job/pins.hpp"
#include "job/restore_text.hpp"
#include "job/restore_text_transaction.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

class LockedBackup {
 public:
  /// `physical_root`: where the root's files are read; empty: there.
  LockedBackup(Session& session, const CreateCommand& command, const ArchiveConfig& archive,
               std::filesystem::path physical_root)
      : session_(session),
        command_(command),
        archive_(archive),
        physical_root_(std::move(physical_root)),
        type_(session.providers().type(archive.type)),
        storage_(archive.destination) {}

  CreateOutcome run() {
    warn_of_preferences(session_, archive_);
    try {
      return attempt(/*lost_state=*/{});
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::state_lost) throw;
      // Nothing was committed. The locks are taken again, and everything is decided anew.
      return attempt(error.message());
    }
  }

  /// Nothing is locked or written.
  CreateOutcome dry_run() {
    warn_of_preferences(session_, archive_);
    read_record();
    const auto next = decide(catalog(), {}, /*locked=*/false);
    const auto counts = forecast(session_.console(), archive_, next, storage_);
    session_.console().info(forecast_line(archive_.name, next, counts));
    return {ExitStatus::ok, "dry_run", next.choice.level, "", document_of(archive_.name, next, counts)};
  }

 private:
  [[nodiscard]] BackupCatalog catalog() const { return read_catalog(session_, storage_, archive_.name); }

  /// Where files are read.
  [[nodiscard]] const std::filesystem::path& root() const {
    return physical_root_.empty() ? archive_.root : physical_root_;
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
    request.identity = next.identity;
    request.filter = archive_.filter;
    request.metadata = archive_.metadata;
    request.threads = archive_.threads;
    request.allow_empty = archive_.allow_empty;
    request.physical_root = physical_root_;
    request.parent_manifest = next.parent_manifest;
    request.sync = session_.syncs();
    request.stop = session_.process().stop;
    request.plan = plan(next, backups);
    request.overwrite_at_start = archive_.overwrite_at_start && may_overwrite(request);
    return request;
  }

  /// What stays as a generation can't make room.
  [[nodiscard]] bool may_overwrite(const BackupRequest& request) const {
    const auto old = BackupName{archive_.name, type_, request.level, ""}.file_name();
    if (!request.plan.takes(old)) return true;
    notice(
        fmt::format("{} is not removed at the start: it stays as an older generation (keep.generations, pins, and "
                    "the newest that is verified)",
                    quote(old)));
    return false;
  }

  [[nodiscard]] CommitPlan plan(const NextBackup& next, const BackupCatalog& backups) const {
    KeepQuestion question;
    question.made = BackupName{archive_.name, type_, next.choice.level, ""};
    question.files = kept_files(storage_, backups, read_holds(session_.config().state_dir, archive_, storage_, backups),
                                question.made->file_name());
    question.generations = archive_.keep.generations;
    question.remove_surplus = archive_.levels.remove_obsolete;
    question.foreign = foreign_names(storage_, archive_.name, question.files);
    return plan_keeping(question).plan;
  }

  CreateOutcome attempt(const std::string& lost_state) {
    auto options = transaction_options(session_, archive_);
    options.new_destination = command_.new_destination;
    auto transaction = storage_.begin(options);
    for (const auto& line : transaction->recovered()) notice(line);

    read_record();
    const auto backups = catalog();
    if (const auto files =
            put_back_manifests(session_.config().state_dir, archive_.destination, backups, storage_, *transaction);
        !files.empty()) {
      for (const auto& file : files) notice("the manifest of " + quote(file) + " was put back from the state");
      transaction.reset();
      return attempt(lost_state);
    }
    auto next = decide(backups, lost_state, /*locked=*/true);
    tell(next.choice);
    tell_of_the_clock(backups);
    auto wanted = request(next, backups);
    const auto doubt = doubts(backups);
    if (!doubt.empty()) hold(wanted, next, doubt);
    check_space(next, wanted);
    wanted.storage = &storage_;
    const BackupName made{archive_.name, type_, wanted.level.value_or(0), ""};
    RestoreTextTransaction with_text(*transaction,
                                     [&](CommitPlan& plan) { add_restore_text(plan, backups, made, *transaction); });
    wanted.transaction = held_ ? transaction.get() : &with_text;
    auto outcome = make(wanted, next);
    remember_marker(session_.config().state_dir, archive_.name, archive_.destination, transaction->marker());
    if (!held_) prove(outcome);
    return outcome;
  }

  // RESTORE.txt is renewed with the commit: for today's chain, with the names that its files will have.
  void add_restore_text(CommitPlan& plan, const BackupCatalog& backups, const BackupName& made,
                        const ITransaction& transaction) const {
    auto entries = catalog_after(backups, plan).entries();
    std::erase_if(entries, [&](const auto& entry) { return entry.name.file_name() == made.file_name(); });
    ManifestReader manifest(transaction.read_back(manifest_name(made.file_name())));
    CatalogEntry fresh;
    fresh.name = made;
    fresh.closing = manifest.closing();
    fresh.header = manifest.header();
    entries.push_back(std::move(fresh));
    const BackupCatalog after(std::move(entries));
    const auto point = std::find_if(after.entries().begin(), after.entries().end(),
                                    [&](const auto& entry) { return entry.name == made; });
    const auto steps = restore_steps(after, static_cast<std::size_t>(point - after.entries().begin()));
    if (!steps.empty()) plan.texts.push_back({std::string(kRestoreTextName), restore_text(archive_.name, steps)});
  }

  // The backup is committed and stays, whatever is found now; what is found decides how the run has gone.
  void prove(CreateOutcome& outcome) {
    const bool is_drill = is_drill_due(archive_.verify, record_.drill, std::chrono::system_clock::now());
    if (!archive_.verify.after_create && !is_drill) return;
    try {
      const auto backups = catalog();
      const auto made = current_index(backups, outcome.level);
      if (archive_.verify.after_create) verify_backup(session_, archive_, storage_, backups, made);
      if (is_drill) {
        record_.drill = drill(session_, storage_, backups, made);
        write_archive_record(session_.config().state_dir, archive_.name, record_);
      }
    } catch (const Error& error) {
      const bool is_damage = error.cause() == ErrorCause::damaged;
      const auto severity = is_damage ? Severity::error : Severity::warning;
      session_.console().problem(
          {severity, is_damage ? "archive.damaged" : "verify.failed", archive_.name, error.message()});
      outcome.status = worse(outcome.status, is_damage ? ExitStatus::failed : ExitStatus::warnings);
      outcome.result = is_damage ? "failed" : "warnings";
      for (auto& [name, value] : outcome.document) {
        if (name == "status") value = Json(outcome.result);
      }
      if (is_damage) save(failed_run(error, std::chrono::system_clock::now()));
    }
  }

  static std::size_t current_index(const BackupCatalog& backups, int level) {
    const auto* entry = current_level(backups, level);
    return static_cast<std::size_t>(entry - backups.entries().data());
  }

  // Rules on age don't fire then, and nobody would know why.
  void tell_of_the_clock(const BackupCatalog& backups) {
    const auto now = std::chrono::system_clock::now();
    for (const auto index : backups.newest_first()) {
      const auto& entry = backups.entries()[index];
      if (entry.time() <= now) continue;
      return notice(fmt::format("{} is from the future ({}): was the clock set back?", quote(entry.name.file_name()),
                                format_rfc3339(entry.time())),
                    "clock.back");
    }
  }

  // A missing or empty source is told by the provider. Measuring costs a walk: only who asks for it pays.
  [[nodiscard]] std::string doubts(const BackupCatalog& backups) const {
    const auto& guard = archive_.guard;
    if (command_.accept_source || (!guard.min_files && !guard.shrink_limit_percent)) return {};
    return suspicion(guard, measure_tree(archive_, root()), last_tree_size(backups));
  }

  // A backup beside the others: nothing of theirs moves, and no level builds on it.
  void hold(BackupRequest& request, NextBackup& next, const std::string& doubt) {
    held_ = true;
    next.choice = {0, LevelRule::not_incremental, "the source is not trusted: " + doubt, 0};
    request.definition.backup_id = archive_.name + ".held";
    request.level.reset();
    request.identity = {};
    request.parent_manifest.clear();
    request.overwrite_at_start = false;
    request.plan = {};
    session_.console().problem(
        {Severity::warning, "archive.suspicious", archive_.name,
         fmt::format("the source {} is not trusted: {}; the backup is held as {}, and the old ones stay. If the source "
                     "is right, say aa create {} --accept-source",
                     quote(archive_.root.native()), doubt,
                     quote(BackupName{request.definition.backup_id, type_, {}, ""}.file_name()), archive_.name)});
  }

  // As much as a backup of this kind has taken before. When that seems too much, the tree itself is asked.
  void check_space(const NextBackup& next, const BackupRequest& request) const {
    const auto free = storage_.free_bytes();
    if (!free || command_.ignore_free_space || request.overwrite_at_start) return;
    const auto* before = last_run_like(record_, next.choice.level > 0);
    if (before == nullptr || before->archive_bytes <= *free) return;
    const auto counts = forecast_quietly(next);
    const auto ratio = before->content_bytes == 0
                           ? 1.0
                           : static_cast<double>(before->archive_bytes) / static_cast<double>(before->content_bytes);
    const auto needed = static_cast<std::uint64_t>(static_cast<double>(counts.content_bytes) * ratio);
    if (needed <= *free) return;
    throw Error(ErrorCode::os_error,
                fmt::format("destination {} has {} free, and the backup will take about {}; make room, or say "
                            "--ignore-free-space",
                            quote(storage_.description()), format_bytes({*free}), format_bytes({needed})),
                ErrorCause::destination);
  }

  [[nodiscard]] Forecast forecast_quietly(const NextBackup& next) const {
    std::ostringstream nowhere;
    Console silent(nowhere, nowhere, {Verbosity::quiet});
    return forecast(silent, archive_, next, storage_);
  }

  void read_record() {
    auto file = read_archive_record(session_.config().state_dir, archive_.name);
    if (!file.fault.empty()) notice(file.fault + "; what it said of earlier runs is lost", "state.lost");
    record_ = std::move(file.record);
  }

  void tell(const LevelChoice& choice) {
    if (choice.rule == LevelRule::broken_chain)
      notice("level 0 instead of an increment: " + choice.reason, "chain.broken");
    if (choice.is_repeated) notice(fmt::format("level {} again: {}", choice.level, choice.reason), "archive.missing");
    if (choice.restarted())
      notice(fmt::format("level {} instead of {}: {}", choice.level, choice.in_a_row, choice.reason));
  }

  CreateOutcome make(BackupRequest& request, const NextBackup& next) {
    BackupEvents events;
    ProblemReporter problems(session_.console(), archive_.name, root(), archive_.include, archive_.problems);
    EntryLines lines(session_.console());
    JobEvents job_events(session_.events(), archive_.name);
    ProgressDisplay progress(session_.console(), archive_.name, session_.progress_style());
    events.subscribe(problems, Subscription::without_entries);
    if (session_.console().options().verbosity >= Verbosity::verbose) events.subscribe(lines);
    if (session_.events().is_open()) events.subscribe(job_events);
    const auto* before = last_run_like(record_, request.level.value_or(0) > 0);
    if (before != nullptr) progress.expect(before->seconds);
    events.subscribe(progress, Subscription::without_entries);
    ServiceProgress service(session_.service(), archive_.name);
    if (session_.service().is_heard()) events.subscribe(service, Subscription::without_entries);
    request.observer = &events;

    const auto began = std::chrono::system_clock::now();
    const auto started = Clock::now();
    const auto provider = session_.providers().archiver(next.provider);
    const auto result = archive_.incremental && !held_ ? provider->backup_files_incrementally(request)
                                                       : provider->backup_files(request);
    const auto elapsed = Clock::now() - started;
    const auto status = held_ || problems.warnings() > 0 ? ExitStatus::warnings : ExitStatus::ok;
    const std::string word = held_ ? "held" : problems.warnings() > 0 ? "warnings" : "ok";
    RunRecord run;
    run.began = began;
    run.status = word;
    run.seconds = std::chrono::duration<double>(elapsed).count();
    run.warnings = problems.warnings();
    remember(next, result, std::move(run));
    session_.console().status_line("");
    const auto summary = summary_line(archive_.name, next, {result, elapsed, word, problems.warnings()});
    session_.service().tell(summary);
    session_.console().info(summary);
    return {status, word, result.level, result.path,
            document_of(archive_.name, next, {result, elapsed, word, problems.warnings()})};
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
    if (archive_.incremental && !held_) add_level(record_, next, result.identity.chain_uuid, run.began);
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

  void notice(const std::string& text, const std::string& id = {}) const {
    session_.console().problem({Severity::notice, id, archive_.name, escaped(text)});
    session_.events().emit("notice", {{"archive", archive_.name}, {"id", id}, {"text", text}});
  }

  Session& session_;
  const CreateCommand& command_;
  const ArchiveConfig& archive_;
  std::filesystem::path physical_root_;
  BackupType type_;
  LocalStorage storage_;
  ArchiveRecord record_;
  bool held_ = false;
};

}  // namespace

CreateOutcome make_locked_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive,
                                 const std::filesystem::path& physical_root) {
  return LockedBackup(session, command, archive, physical_root).run();
}

CreateOutcome foretell_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive) {
  return LockedBackup(session, command, archive, {}).dry_run();
}

}  // namespace autoarchive::host
