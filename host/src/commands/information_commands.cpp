#include <fmt/format.h>

#include "autoarchive/base/version.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {

ExitStatus run_command(Session& session, const VersionCommand& /*none*/) {
  session.console().result(fmt::format("aa (AutoArchive) {}", version()));
  session.console().document({{"program", "aa"}, {"version", std::string(version())}});
  return ExitStatus::ok;
}

ExitStatus run_command(Session& session, const HelpCommand& command) {
  session.console().text(command.text);
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
