#include "application.hpp"

#include <algorithm>
#include <exception>
#include <memory>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "events/problem_ids.hpp"

namespace autoarchive::host {
namespace {

void print_error(Console& console, const Error& error, ExitStatus status) {
  // Configuration errors have a line a fault; everything else is one line.
  console.problem({Severity::error, "", "", error.message()});
  console.document({{"error", Json::Object{{"id", to_string(error.cause())},
                                           {"message", error.message()},
                                           {"exit_code", static_cast<int>(status)}}}});
}

ExitStatus run(const ProcessContext& process, const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(arguments);
  Session session(process, line.options);
  try {
    return std::visit([&](const auto& command) { return run_command(session, command); }, line.command);
  } catch (const Error& error) {
    const auto status = exit_status_of(error);
    print_error(session.console(), error, status);
    session.events().emit("error", {{"cause", to_string(error.cause())}, {"text", error.message()}});
    return status;
  }
}

// The command line could not be read, so its options are not known: --json is looked for by eye.
ExitStatus unreadable(const ProcessContext& process, const std::vector<std::string>& arguments, const Error& error) {
  ConsoleOptions options;
  options.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Console console(process.out, process.err, options);
  const auto status = exit_status_of(error);
  print_error(console, error, status);
  return status;
}

// Not where it is the end of another path: "/mnt/var/lib/autoarchive/".
bool names_path(const std::string& text, const std::string& path) {
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
    if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\'') return true;
  }
  return false;
}

}  // namespace

ExitStatus report_error(Session& session, const std::string& archive, const Error& error) {
  // What is full is told by the path alone.
  const auto& state_dir = session.config().state_dir.native();
  const bool is_state = error.cause() == ErrorCause::no_space &&
                        (names_path(error.message(), state_dir + "/") || names_path(error.message(), quote(state_dir)));
  auto text = error.message();
  if (is_state) text += "; make room below state_dir " + quote(state_dir) + ", or set it to another place";
  session.console().problem(
      {Severity::error, is_state ? "state.full" : std::string(problem_id_of(error)), archive, text});
  Json::Object event{{"archive", archive}, {"cause", to_string(error.cause())}, {"text", text}};
  session.events().emit("error", std::move(event));
  return exit_status_of(error);
}

int run_application(const ProcessContext& process, const std::vector<std::string>& arguments) {
  try {
    try {
      return static_cast<int>(run(process, arguments));
    } catch (const Error& error) {
      return static_cast<int>(unreadable(process, arguments, error));
    }
  } catch (const std::exception& bug) {
    process.err << "aa: internal error: " << escaped(bug.what()) << "; this is a bug of aa, please report it\n";
    return static_cast<int>(ExitStatus::internal);
  }
}

}  // namespace autoarchive::host
