#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "state/archive_record.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

/// Whether nobody defines the archive any more. One whose definition can't be looked at now (its file is not there: a
/// folder that is not mounted, another --config) may be back tomorrow, and is left alone.
bool is_orphan(Session& session, const std::string& archive) {
  if (session.config().archives.contains(archive)) return false;
  const auto file = read_archive_record(session.config().state_dir, archive).record.defined_in;
  const auto& read = session.config().files;
  if (file.empty() || std::find(read.begin(), read.end(), file) != read.end()) return true;
  session.console().problem(
      {Severity::notice, "", archive,
       fmt::format(
           "not purged: it was defined in {}, which has not been read now; if it is gone for good, say aa purge {}",
           quote(file), archive)});
  return false;
}

/// Archives that have state with any provider, by provider.
std::map<std::string, std::vector<std::string>> stored_state(Providers& providers) {
  std::map<std::string, std::vector<std::string>> state;
  for (const auto& candidate : providers.candidates()) {
    state[candidate.provider_id] = providers.archiver(candidate.provider_id)->stored_backup_ids();
  }
  return state;
}

void check(Session& session, const PurgeCommand& command) {
  if (command.archives.empty() != command.orphans) {
    throw Error(ErrorCode::value_error, "purge: name archives, or give --orphans", ErrorCause::usage);
  }
  for (const auto& name : command.archives) {
    if (session.config().archives.contains(name)) {
      throw Error(
          ErrorCode::value_error,
          fmt::format(
              "purge: {} is configured, and its next increment needs its state; make a level 0 with aa create --full",
              quote(name)),
          ErrorCause::usage);
    }
  }
}

void purge(Session& session, const std::map<std::string, std::vector<std::string>>& state,
           const std::set<std::string>& archives) {
  for (const auto& [provider, stored] : state) {
    for (const auto& archive : stored) {
      if (archives.contains(archive)) session.providers().archiver(provider)->purge_stored_backup_data(archive);
    }
  }
  for (const auto& archive : archives) {
    forget_verified(session.config().state_dir, archive);
    remove_archive_record(session.config().state_dir, archive);
  }
}

}  // namespace

ExitStatus run_command(Session& session, const PurgeCommand& command) {
  check(session, command);
  const auto state = stored_state(session.providers());
  std::set<std::string> known;
  for (const auto& [provider, archives] : state) known.insert(archives.begin(), archives.end());
  for (const auto& archive : recorded_archives(session.config().state_dir)) known.insert(archive);
  const std::set<std::string> named(command.archives.begin(), command.archives.end());
  std::set<std::string> purged;
  for (const auto& archive : known) {
    if (command.orphans ? is_orphan(session, archive) : named.contains(archive)) purged.insert(archive);
  }
  if (!session.options().dry_run) purge(session, state, purged);
  for (const auto& archive : purged) {
    session.console().info(
        fmt::format("{}: stored state {}", archive, session.options().dry_run ? "would be deleted" : "deleted"));
  }
  if (purged.empty()) session.console().info("nothing to purge");
  session.console().document(
      {{"purged", Json::Array(purged.begin(), purged.end())}, {"dry_run", session.options().dry_run}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
