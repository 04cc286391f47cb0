#include "autoarchive/base/error.hpp"
#include "commands/commands.hpp"
#include "output/completion.hpp"

namespace autoarchive::host {
namespace {

// Nobody wants to be told of faults of the configuration while he types: there are no names then.
std::vector<std::string> archive_names(const ProcessContext& process, const std::vector<std::string>& words) {
  try {
    return read_config({named_config(words), process.environment, process.as_root}).order;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

ExitStatus run_command(Session& session, const CompletionCommand& command) {
  session.console().text(completion_script(command.shell));
  return ExitStatus::ok;
}

ExitStatus run_command(Session& session, const CompleteCommand& command) {
  const auto names = archive_names(session.process(), command.words);
  for (const auto& word : completions(describe_command_line(), command.words, names)) session.console().result(word);
  session.console().document({});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
