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
#include "autoarchive/tree/walker.hpp"
#include "events/backup_events.hpp"
#include "events/entry_lines.hpp"
#include "events/problem_reporter.hpp"
#include "events/progress_display.hpp"
#include "job/archive_files.hpp"
#include "job/destination_record.hpp"
#include "job/keeping.hpp"
#include "job/levels.hpp"
#include "job/restore_text.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

Error missing_setting(const ArchiveConfig& archive, const char* key) {
  return {
      ErrorCode::value_error,
      fmt::format("archive {} has no {}; give --{} DIR, or set it in the configuration", quote(archive.name), key, key),
      ErrorCause::usage};
}

/// Level, provider and place in the chain of the next backup.
struct Decision {
  LevelChoice choice;
  std::string provider;
  RouteDecision route;
  BackupIdentity identity;
  std::string parent_manifest;
};

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

  [[nodiscard]] std::string chain_break(const CatalogEntry* parent, int level) const {
    if (parent == nullptr) return fmt::format("the backup of level {} is not in the destination", level);
    if (!parent->header) {
      return fmt::format("{} has no readable manifest{}", quote(parent->name.file_name()),
                         parent->fault.empty() ? "" : ": " + parent->fault);
    }
    const auto& header = *parent->header;
    if (header.root != archive_.root.native()) {
      return fmt::format("the root has changed from {} to {}", quote(header.root), quote(archive_.root.native()));
    }
    if (header.type != archive_.type)
      return fmt::format("the type has changed from {} to {}", header.type, archive_.type);
    return {};
  }

  // The highest level that the provider's state allows. With the locks held, state that is lost is brought back first.
  [[nodiscard]] int max_level(const std::string& provider_id, bool locked) {
    const auto provider = session_.providers().archiver(provider_id);
    if (locked) provider->recover_state(definition_of(archive_, type_), storage_);
    return provider->max_backup_level(archive_.name);
  }

  [[nodiscard]] Decision decide(const BackupCatalog& backups, const std::string& lost_state, bool locked) {
    Decision decision;
    const auto* base = current_level(backups, 0);
    const bool continues = archive_.incremental && !command_.full && base != nullptr && base->header &&
                           base->header->level == 0 && base->header->type == archive_.type;
    const auto owner = continues ? base->header->provider : std::string();
    const auto wanted = route_request(session_.providers(), archive_, owner);
    decision.route = route(wanted, session_.providers().policy(), session_.providers().candidates(archive_.type));
    decision.provider = decision.route.chosen_or_throw(wanted);

    LevelQuestion question{archive_.incremental, command_.full, command_.level, 0, lost_state};
    if (archive_.incremental) question.max_level = max_level(decision.provider, locked);
    if (continues && owner == decision.provider && question.max_level == 0 && question.chain_break.empty()) {
      question.chain_break =
          fmt::format("{} has no state of the level 0 that is there: it is lost, or was made without levels", owner);
    }
    if (base != nullptr && !base->header && question.chain_break.empty()) question.chain_break = chain_break(base, 0);
    const int next = command_.level.value_or(question.max_level);
    const auto* parent = next > 0 ? current_level(backups, next - 1) : nullptr;
    if (next > 0 && question.chain_break.empty()) question.chain_break = chain_break(parent, next - 1);
    if (next > 0 && question.chain_break.empty() && parent->header->provider != decision.provider) {
      question.chain_break = fmt::format("the chain belongs to {}, and this backup is made by {}",
                                         parent->header->provider, decision.provider);
    }
    decision.choice = choose_level(question);
    if (decision.choice.level > 0) {
      decision.identity.chain_uuid = parent->header->chain_uuid;
      decision.identity.parent_uuid = parent->header->backup_uuid;
      decision.identity.parent_sha256 = parent->closing ? parent->closing->archive_sha256 : "";
      decision.parent_manifest = manifest_name(parent->name.file_name());
    }
    return decision;
  }

  [[nodiscard]] BackupRequest request(const Decision& decision, const BackupCatalog& backups) const {
    BackupRequest request;
    request.definition = definition_of(archive_, type_);
    request.compression_strength = archive_.strength;
    if (archive_.incremental) request.level = decision.choice.level;
    request.overwrite_at_start = archive_.overwrite_at_start;
    request.identity = decision.identity;
    request.filter = archive_.filter;
    request.metadata = archive_.metadata;
    request.threads = archive_.threads;
    request.allow_empty = archive_.allow_empty;
    request.parent_manifest = decision.parent_manifest;
    request.sync = session_.syncs();
    request.stop = session_.process().stop;
    const BackupName made{archive_.name, type_, decision.choice.level, ""};
    request.plan = plan_generations(kept_files(storage_, backups), made, archive_.keep.generations);
    return request;
  }

  CreateOutcome attempt(const std::string& lost_state) {
    TransactionOptions options;
    options.archive = archive_.name;
    options.lock_wait = session_.options().lock_wait;
    options.state_lock_dir = session_.config().state_dir / "lock";
    options.expected_marker = remembered_marker(session_.config().state_dir, archive_.name, archive_.destination);
    options.new_destination = command_.new_destination;
    options.sync = session_.syncs();
    options.stop = session_.process().stop;
    const auto transaction = storage_.begin(options);
    for (const auto& line : transaction->recovered()) notice(line);

    const auto backups = catalog();
    const auto decision = decide(backups, lost_state, /*locked=*/true);
    if (decision.choice.restarted) notice("level 0 instead of an increment: " + decision.choice.reason);
    auto wanted = request(decision, backups);
    wanted.storage = &storage_;
    wanted.transaction = transaction.get();
    add_restore_text(wanted, backups);
    auto outcome = make(wanted, decision);
    remember_marker(session_.config().state_dir, archive_.name, archive_.destination, transaction->marker());
    return outcome;
  }

  // RESTORE.txt is renewed with the commit: for today's chain, with the names that its files will have.
  void add_restore_text(BackupRequest& request, const BackupCatalog& backups) const {
    const auto files = chain_with(backups, {archive_.name, type_, request.level.value_or(0), ""});
    if (!files.empty())
      request.plan.texts.push_back({std::string(kRestoreTextName), restore_text(archive_.name, files)});
  }

  CreateOutcome make(BackupRequest& request, const Decision& decision) {
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

    const auto started = Clock::now();
    const auto provider = session_.providers().archiver(decision.provider);
    const auto result =
        archive_.incremental ? provider->backup_files_incrementally(request) : provider->backup_files(request);
    const auto elapsed = Clock::now() - started;
    const auto status = problems.warnings() > 0 ? ExitStatus::warnings : ExitStatus::ok;
    session_.console().status_line("");
    session_.console().info(summary_line(result, decision, elapsed));
    return {status, document(result, decision, elapsed, problems.warnings())};
  }

  [[nodiscard]] std::string summary_line(const BackupResult& result, const Decision& decision,
                                         Clock::duration elapsed) const {
    const auto& summary = result.summary;
    return fmt::format("{}: level {} by {}: {} of {} entries, {} -> {} in {}: {}", archive_.name, result.level,
                       decision.provider, summary.stored_entries, summary.entries,
                       format_bytes({summary.content_bytes}), format_bytes({summary.archive_bytes}),
                       format_duration(elapsed), quote(result.path));
  }

  [[nodiscard]] Json::Object document(const BackupResult& result, const Decision& decision, Clock::duration elapsed,
                                      std::uint64_t warnings) const {
    Json::Object object{{"archive", archive_.name},      {"status", warnings > 0 ? "warnings" : "ok"},
                        {"level", result.level},         {"level_reason", decision.choice.reason},
                        {"provider", decision.provider}, {"backup", result.identity.backup_uuid}};
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
    const auto decision = decide(catalog(), {}, /*locked=*/false);
    FilterRules rules = archive_.filter;
    const Filter filter(std::move(rules));
    Walker walker({archive_.root, archive_.include, {}, archive_.incremental}, filter);
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    for (WalkItem item; walker.next(item);) {
      const bool excluded = item.event == WalkEvent::excluded;
      if (item.event == WalkEvent::entry) {
        ++entries;
        bytes += item.entry.size;
      }
      if (excluded || item.event == WalkEvent::entry) {
        session_.console().detail(Verbosity::verbose,
                                  fmt::format("{} {}{}", excluded ? '-' : '+', quote(item.entry.path),
                                              item.rule.empty() ? "" : "  (" + item.rule + ")"));
      }
    }
    session_.console().info(fmt::format("{}: would make level {} ({}) by {}: {} entries, {}", archive_.name,
                                        decision.choice.level, decision.choice.reason, decision.provider, entries,
                                        format_bytes({bytes})));
    return {ExitStatus::ok,
            {{"archive", archive_.name},
             {"status", "dry_run"},
             {"level", decision.choice.level},
             {"level_reason", decision.choice.reason},
             {"provider", decision.provider},
             {"entries", entries},
             {"content_bytes", bytes}}};
  }

  void notice(const std::string& text) {
    session_.console().problem({Severity::notice, "", archive_.name, escaped(text)});
    session_.events().emit("notice", {{"archive", archive_.name}, {"text", text}});
  }

  Session& session_;
  const CreateCommand& command_;
  const ArchiveConfig& archive_;
  BackupType type_;
  LocalStorage storage_;
};

}  // namespace

RouteRequest route_request(Providers& providers, const ArchiveConfig& archive, const std::string& chain_owner) {
  RouteRequest request;
  request.type = providers.type(archive.type);
  if (archive.incremental) request.required.insert(archiver_feature::kIncremental);
  if (archive.strength) request.required.insert(archiver_feature::kCompressionStrength);
  request.preferred.insert(archiver_feature::kRandomAccess);
  if (archive.provider != "auto") request.pinned = archive.provider;
  request.chain_owner = chain_owner;
  return request;
}

BackupDefinition definition_of(const ArchiveConfig& archive, const BackupType& type) {
  BackupDefinition definition;
  definition.backup_id = archive.name;
  definition.backup_type = type;
  definition.destination = archive.destination.native();
  definition.root = archive.root.native();
  definition.include_files = archive.include;
  return definition;
}

CreateOutcome create_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive) {
  if (archive.root.empty()) throw missing_setting(archive, "root");
  if (archive.destination.empty()) throw missing_setting(archive, "destination");
  return CreateJob(session, command, archive).run();
}

}  // namespace autoarchive::host
