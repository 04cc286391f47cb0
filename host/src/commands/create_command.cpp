#include <fmt/format.h>

#include "commands/commands.hpp"
#include "job/create_job.hpp"

namespace autoarchive::host {
namespace {

std::vector<ArchiveConfig> chosen_archives(Session& session, const CreateCommand& command) {
  if (command.archives.empty() && !command.all) {
    throw Error(ErrorCode::value_error, "create: name an archive, or give --all", ErrorCause::usage);
  }
  if (!command.all) return session.archives(command.archives, command.overrides);
  auto archives = session.archives({}, command.overrides);
  if (archives.empty()) {
    throw Error(ErrorCode::key_error, "create --all: no archive is configured; see aa config example",
                ErrorCause::no_such_backup);
  }
  return archives;
}

}  // namespace

ExitStatus run_command(Session& session, const CreateCommand& command) {
  const auto archives = chosen_archives(session, command);
  static_cast<void>(session.providers());  // settings that can't be right are told before anything is started
  auto status = ExitStatus::ok;
  Json::Array documents;
  for (const auto& archive : archives) {
    if (session.process().stop.stop_requested()) break;
    try {
      auto outcome = create_backup(session, command, archive);
      status = worse(status, outcome.status);
      documents.emplace_back(std::move(outcome.document));
    } catch (const Error& error) {  // one archive's failure never stops the next
      status = worse(status, report_error(session, archive.name, error));
      documents.emplace_back(Json::Object{{"archive", archive.name},
                                          {"status", "failed"},
                                          {"error", error.message()},
                                          {"cause", to_string(error.cause())}});
      if (command.fail_fast) break;
    }
  }
  session.console().document({{"exit_code", static_cast<int>(status)}, {"archives", std::move(documents)}});
  return status;
}

}  // namespace autoarchive::host
