#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/archive_catalog.hpp"
#include "job/archive_files.hpp"
#include "job/archive_transaction.hpp"
#include "job/destination_record.hpp"
#include "job/next_backup.hpp"
#include "job/pins.hpp"
#include "job/restore_text.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

std::vector<std::size_t> wanted(const BackupCatalog& catalog, const RemoveCommand& command) {
  std::vector<std::size_t> chosen;
  if (command.from_level) {
    for (std::size_t i = 0; i < catalog.entries().size(); ++i) {
      const auto& entry = catalog.entries()[i];
      const bool is_higher = entry.name.level.value_or(0) >= *command.from_level;
      if (entry.name.keeping_id.empty() && !entry.is_foreign && is_higher) chosen.push_back(i);
    }
    return chosen;
  }
  chosen.push_back(catalog.resolve(command.target.selector));
  if (const auto& entry = catalog.entries()[chosen.front()]; entry.is_foreign) {
    throw Error(ErrorCode::value_error,
                fmt::format("remove: {} is left alone, since {}; remove it by hand if it is not needed",
                            quote(entry.file.name), foreign_text(entry)),
                ErrorCause::usage);
  }
  return chosen;
}

/// The wanted backups and everything that can't be restored without them.
std::vector<std::size_t> to_be_removed(const BackupCatalog& catalog, const RemoveCommand& command) {
  auto chosen = wanted(catalog, command);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (const auto dependant : catalog.dependants_of(chosen[i])) {
      if (std::find(chosen.begin(), chosen.end(), dependant) == chosen.end()) chosen.push_back(dependant);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

CommitPlan removal_plan(const std::vector<KeptFile>& files, const std::vector<std::string>& chosen) {
  CommitPlan plan;
  // Levels before what they are based on: should the run die in between, what is still there restores.
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const auto name = file->name.file_name();
    if (std::find(chosen.begin(), chosen.end(), name) == chosen.end()) continue;
    plan.steps.push_back({CommitStep::Action::retire, name, ""});
    if (file->has_manifest) plan.steps.push_back({CommitStep::Action::retire, manifest_name(name), ""});
    if (file->has_sha256) plan.steps.push_back({CommitStep::Action::retire, sha256_name(name), ""});
  }
  return plan;
}

/// The lowest current level that goes: state from it on is of no use any more.
std::optional<int> first_current_level(const BackupCatalog& catalog, const std::vector<std::size_t>& chosen) {
  std::optional<int> lowest;
  for (const auto index : chosen) {
    const auto& name = catalog.entries()[index].name;
    if (!name.keeping_id.empty()) continue;
    const int level = name.level.value_or(0);
    lowest = std::min(lowest.value_or(level), level);
  }
  return lowest;
}

// Files first, state last: a crash in between leaves state without its backup, which the next run notices.
void drop_state(Session& session, const ArchiveConfig& archive, int level) {
  for (const auto& candidate : session.providers().candidates()) {
    for (const auto& [type, features] : candidate.features) {
      if (!features.contains(archiver_feature::kIncremental)) continue;
      auto definition = definition_of(archive, type);
      session.providers().archiver(candidate.provider_id)->remove_backup_increments(definition, level, "");
      break;
    }
  }
}

// What was removed is not missed (missing_backup.hpp); what was removed from a copy elsewhere would be.
void forget_last_run(Session& session, const ArchiveConfig& archive, const BackupCatalog& catalog,
                     const std::vector<std::size_t>& chosen) {
  const auto& state_dir = session.config().state_dir;
  if (!remembered_marker(state_dir, archive.name, archive.destination)) return;
  auto record = read_archive_record(state_dir, archive.name).record;
  const auto is_its = [&](auto index) { return catalog.entries()[index].backup_uuid() == record.last_success->backup; };
  if (!record.last_success || std::none_of(chosen.begin(), chosen.end(), is_its)) return;
  record.last_success->backup.clear();
  try {
    write_archive_record(state_dir, archive.name, record);
  } catch (const Error& error) {  // the backups are gone, as was wanted
    session.console().problem({Severity::warning, "state.lost", archive.name, error.message()});
  }
}

std::vector<std::string> file_names(const BackupCatalog& catalog, const std::vector<std::size_t>& chosen) {
  std::vector<std::string> names;
  names.reserve(chosen.size());
  for (const auto index : chosen) names.push_back(catalog.entries()[index].name.file_name());
  return names;
}

/// Pinned backups go only when they are unpinned first.
void check_pins(const BackupCatalog& catalog, const std::vector<std::size_t>& chosen,
                const std::set<std::string>& pins) {
  for (const auto index : chosen) {
    const auto& entry = catalog.entries()[index];
    if (!entry.header || !pins.contains(entry.header->backup_uuid)) continue;
    throw Error(ErrorCode::value_error,
                fmt::format("remove: {} is pinned; see aa keep --unpin", quote(entry.name.file_name())),
                ErrorCause::usage);
  }
}

/// What is asked for and what goes with it, e.g. "home: remove home.tar.gz, and home.1.tar.gz, which can't be restored
/// without it".
std::string question(const std::string& archive, const std::vector<std::string>& wanted,
                     const std::vector<std::string>& all) {
  std::vector<std::string> dependants;
  for (const auto& name : all) {
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) dependants.push_back(name);
  }
  auto text = fmt::format("{}: remove {}", archive, fmt::join(wanted, ", "));
  if (!dependants.empty()) text += fmt::format(", and {}, which can't be restored then", fmt::join(dependants, ", "));
  return text;
}

}  // namespace

ExitStatus run_command(Session& session, const RemoveCommand& command) {
  if (!command.has_selector && !command.from_level) {
    throw Error(ErrorCode::value_error, "remove: give ARCHIVE@SELECTOR, or ARCHIVE with --from-level N",
                ErrorCause::usage);
  }
  auto backups = read_backups(session, command.target.archive, command.destination);
  const auto shown = to_be_removed(backups.catalog, command);
  const auto names = file_names(backups.catalog, shown);
  if (names.empty()) {
    session.console().info(command.target.archive + ": nothing to remove");
    session.console().document({{"removed", Json::Array{}}, {"dry_run", session.options().dry_run}});
    return ExitStatus::ok;
  }
  check_pins(backups.catalog, shown, read_pins(*backups.storage, command.target.archive));
  const auto what =
      question(command.target.archive, file_names(backups.catalog, wanted(backups.catalog, command)), names);
  if (session.options().dry_run) {
    session.console().info(what + ": not done, this is a dry run");
    session.console().document({{"removed", Json::Array(names.begin(), names.end())}, {"dry_run", true}});
    return ExitStatus::ok;
  }
  if (!session.confirm(what + "?")) return ExitStatus::ok;

  std::optional<int> level;
  {
    const auto transaction = backups.storage->begin(transaction_options(session, backups.archive));
    // Read again under the lock: what was shown is what goes, or nothing.
    const auto now = read_catalog(session, *backups.storage, command.target.archive);
    const auto chosen = to_be_removed(now, command);
    if (file_names(now, chosen) != names) {
      throw Error(ErrorCode::runtime_error, "remove: the backups have changed meanwhile; look again with aa list",
                  ErrorCause::not_now);
    }
    auto plan = removal_plan(kept_files(*backups.storage, now, {}), names);
    renew_restore_text(command.target.archive, now, plan);
    transaction->commit(plan);
    forget_last_run(session, backups.archive, now, chosen);
    level = first_current_level(now, chosen);
  }
  if (level) drop_state(session, backups.archive, *level);
  session.console().info(fmt::format("{}: removed {}", command.target.archive, fmt::join(names, ", ")));
  session.console().document({{"removed", Json::Array(names.begin(), names.end())}, {"dry_run", false}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
