#include "commands/commands.hpp"
#include "output/manual_page.hpp"

namespace autoarchive::host {

ExitStatus run_command(Session& session, const ManualCommand& command) {
  session.console().text(command.page == "aa.yaml" ? configuration_manual() : program_manual(describe_command_line()));
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
