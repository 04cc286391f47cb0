#include <algorithm>
#include <set>

#include "commands/commands.hpp"
#include "job/create_job.hpp"
#include "job/hooks.hpp"
#include "job/parallel_run.hpp"
#include "job/priority.hpp"

namespace autoarchive::host {
namespace {

// The named ones first, in their order, then with --all the others; each once.
std::vector<ArchiveConfig> chosen_archives(Session& session, const CreateCommand& command) {
  if (command.archives.empty() && !command.all) {
    throw Error(ErrorCode::value_error, "create: name an archive, or give --all", ErrorCause::usage);
  }
  auto names = command.archives;
  if (command.all) names.insert(names.end(), session.config().order.begin(), session.config().order.end());
  std::set<std::string> seen;
  std::erase_if(names, [&](const auto& name) { return !seen.insert(name).second; });
  return session.some_archives(names, command.overrides);
}

/// What came of all archives.
struct RunOutcome {
  ExitStatus status = ExitStatus::ok;
  Json::Array documents;
};

RunOutcome create_one_by_one(Session& session, const CreateCommand& command,
                             const std::vector<ArchiveConfig>& archives) {
  RunOutcome run;
  for (const auto& archive : archives) {
    if (session.process().stop.stop_requested()) break;
    try {
      auto outcome = create_backup(session, command, archive);
      run.status = worse(run.status, outcome.status);
      run.documents.emplace_back(std::move(outcome.document));
    } catch (const Error& error) {  // one archive's failure never stops the next
      run.status = worse(run.status, report_error(session, archive.name, error));
      run.documents.emplace_back(Json::Object{{"archive", archive.name},
                                              {"status", "failed"},
                                              {"error", error.message()},
                                              {"cause", to_string(error.cause())}});
      if (command.fail_fast) break;
    }
  }
  return run;
}

RunOutcome create_all(Session& session, const CreateCommand& command, const std::vector<ArchiveConfig>& archives) {
  const int jobs = command.jobs.value_or(session.config().jobs);
  if (jobs == 1 || archives.size() == 1) return create_one_by_one(session, command, archives);
  std::vector<std::string> names;
  for (const auto& archive : archives) names.push_back(archive.name);
  auto outcome = create_in_parallel(session, command, names, jobs);
  return {outcome.status, std::move(outcome.documents)};
}

}  // namespace

ExitStatus run_command(Session& session, const CreateCommand& command) {
  const auto archives = chosen_archives(session, command);
  static_cast<void>(session.providers());  // settings that can't be right are told before anything is started
  const bool has_hooks = !session.options().dry_run && !command.part_of_run;
  lower_priority(session.config().nice, session.config().ionice);
  Hooks hooks(session, session.config().hooks);
  HookFacts facts;
  if (has_hooks) hooks.require(HookPoint::before_all, facts);
  auto run = create_all(session, command, archives);
  const bool is_done = run.status == ExitStatus::ok || run.status == ExitStatus::warnings;
  facts.result = run.status == ExitStatus::ok ? "ok" : is_done ? "warnings" : "failed";
  if (has_hooks && hooks.attempt(HookPoint::after_all, facts) > 0) run.status = worse(run.status, ExitStatus::warnings);
  session.console().document({{"exit_code", static_cast<int>(run.status)}, {"archives", std::move(run.documents)}});
  return run.status;
}

}  // namespace autoarchive::host
