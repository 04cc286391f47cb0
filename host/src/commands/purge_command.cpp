#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

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

}  // namespace

ExitStatus run_command(Session& session, const PurgeCommand& command) {
  check(session, command);
  const std::set<std::string> named(command.archives.begin(), command.archives.end());
  std::set<std::string> purged;
  for (const auto& [provider, archives] : stored_state(session.providers())) {
    for (const auto& archive : archives) {
      const bool wanted = command.orphans ? !session.config().archives.contains(archive) : named.contains(archive);
      if (!wanted) continue;
      purged.insert(archive);
      if (!session.options().dry_run) session.providers().archiver(provider)->purge_stored_backup_data(archive);
    }
  }
  for (const auto& archive : purged) {
    session.console().info(
        fmt::format("{}: stored state {}", archive, session.options().dry_run ? "would be deleted" : "deleted"));
  }
  if (purged.empty()) session.console().info("nothing to purge");
  session.console().document({{"purged", Json::Array(purged.begin(), purged.end())}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
