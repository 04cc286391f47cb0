#include "job/create_job.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/lock_file.hpp"
#include "job/create_report.hpp"
#include "job/hooks.hpp"
#include "job/locked_backup.hpp"
#include "output/secret_mask.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

Error missing_setting(const ArchiveConfig& archive, const char* key) {
  return {
      ErrorCode::value_error,
      fmt::format("archive {} has no {}; give --{} DIR, or set it in the configuration", quote(archive.name), key, key),
      ErrorCause::usage};
}

/// The hooks around one archive's job. The lock of the run is held from before the first to after the last, so that a
/// second run never mounts or unmounts anything under the first.
class HookedJob {
 public:
  HookedJob(Session& session, const CreateCommand& command, const ArchiveConfig& archive)
      : session_(session), command_(command), archive_(archive), hooks_(session, archive.hooks) {
    facts_.archive = archive.name;
  }

  CreateOutcome run() {
    const auto began = std::chrono::system_clock::now();
    const auto lock = lock_run();
    bool entered = false;
    try {
      hooks_.require(HookPoint::before, facts_);
      entered = true;
      auto outcome = attempt();
      tell_success(outcome);
      return outcome;
    } catch (const Error& error) {
      remember_failure(error, began);
      tell_failure(error, entered);
      throw;
    }
  }

 private:
  [[nodiscard]] std::unique_ptr<LockFile> lock_run() const {
    const auto folder = session_.config().state_dir / "lock";
    std::error_code error;  // the lock that can't be made tells why
    std::filesystem::create_directories(folder, error);
    return std::make_unique<LockFile>(folder / (archive_.name + ".run.lock"), session_.options().lock_wait,
                                      session_.process().stop);
  }

  CreateOutcome attempt() {
    Snapshot snapshot(hooks_, facts_);
    auto outcome = make_locked_backup(session_, command_, archive_, snapshot.directory());
    if (!snapshot.release()) outcome.status = worse(outcome.status, ExitStatus::warnings);
    return outcome;
  }

  void tell_success(CreateOutcome& outcome) {
    facts_.level = outcome.level;
    facts_.result = outcome.result;
    facts_.file = outcome.file;
    auto failures = hooks_.attempt(HookPoint::after, facts_);
    const auto point = outcome.result == "ok" ? HookPoint::succeeded : HookPoint::warned;
    failures += hooks_.attempt(point, facts_);
    if (failures > 0) outcome.status = worse(outcome.status, ExitStatus::warnings);
  }

  // A run in which nothing was committed.
  void remember_failure(const Error& error, SystemTime began) const {
    if (error.cause() == ErrorCause::cancelled) return;
    try {
      auto record = read_archive_record(session_.config().state_dir, archive_.name).record;
      add_run(record, failed_run(error, began));
      record.defined_in = archive_.defined_in.native();
      write_archive_record(session_.config().state_dir, archive_.name, record);
    } catch (const Error& unwritten) {
      session_.console().problem({Severity::warning, "state.lost", archive_.name, unwritten.message()});
    }
  }

  // A hook at `before` that has refused has prepared nothing that `after` would have to take back.
  void tell_failure(const Error& error, bool entered) {
    const bool not_now = exit_status_of(error) == ExitStatus::not_now;
    facts_.result = not_now ? "not_now" : "failed";
    facts_.error = without_secrets(error.message());
    if (entered) hooks_.attempt(HookPoint::after, facts_);
    if (!not_now) hooks_.attempt(HookPoint::failed, facts_);
  }

  Session& session_;
  const CreateCommand& command_;
  const ArchiveConfig& archive_;
  Hooks hooks_;
  HookFacts facts_;
};

}  // namespace

CreateOutcome create_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive) {
  if (archive.root.empty()) throw missing_setting(archive, "root");
  if (archive.destination.empty()) throw missing_setting(archive, "destination");
  if (session.options().dry_run) return foretell_backup(session, command, archive);
  return HookedJob(session, command, archive).run();
}

}  // namespace autoarchive::host
