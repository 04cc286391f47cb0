/// \file
/// One function a verb. Each prints its result and returns the exit status; it throws Error when it can't go on.
#pragma once

#include "command_line.hpp"
#include "exit_status.hpp"
#include "session.hpp"

namespace autoarchive::host {

[[nodiscard]] ExitStatus run_command(Session& session, const CreateCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const ListCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const LsCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const RestoreCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const CatCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const FindCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const VersionsCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const DiffCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const ExplainCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const VerifyCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const RemoveCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const KeepCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const StatusCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const ScheduleCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const PurgeCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const RescanCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const RouteCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const WhyCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const PluginsCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const ConfigCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const CompletionCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const CompleteCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const ManualCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const VersionCommand& command);
[[nodiscard]] ExitStatus run_command(Session& session, const HelpCommand& command);

/// Prints an error and returns what it leads to. `archive` may be empty.
ExitStatus report_error(Session& session, const std::string& archive, const Error& error);

}  // namespace autoarchive::host
