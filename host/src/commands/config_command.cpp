#include <fmt/format.h>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "events/problem_ids.hpp"
#include "import/original_import.hpp"
#include "job/reality_check.hpp"

namespace autoarchive::host {
namespace {

Problem as_problem(const RealityFinding& finding) {
  const auto place = finding.origin.line > 0 ? finding.origin.text() + ": " : std::string();
  return {finding.severity, std::string(finding.id), finding.archive, place + finding.text};
}

// Reading has thrown already if the files by themselves are wrong.
ExitStatus check(Session& session, const ConfigCommand& command) {
  const auto& config = session.config();
  auto status = ExitStatus::ok;
  const auto tell = [&](const std::vector<RealityFinding>& findings) {
    for (const auto& finding : findings) {
      session.console().problem(as_problem(finding));
      if (finding.severity == Severity::warning) status = worse(status, ExitStatus::warnings);
      if (finding.severity == Severity::error) status = worse(status, ExitStatus::failed);
    }
  };
  if (!command.file_only && !config.files.empty()) {
    tell(check_surroundings(session));
    for (const auto& archive : session.archives(command.archives)) tell(check_archive(session, archive));
  }
  Json::Array files;
  for (const auto& file : config.files) files.emplace_back(file.native());
  if (config.files.empty()) {
    session.console().info("no configuration file was found; see aa config example");
  } else {
    session.console().info(fmt::format("{} archives in {} files: {}", config.archives.size(), config.files.size(),
                                       status == ExitStatus::ok ? "no errors" : "see above"));
  }
  session.console().document({{"files", std::move(files)}, {"archives", config.archives.size()}});
  return status;
}

Json::Object show_values(Session& session, const std::vector<ShownValue>& values) {
  Json::Object object;
  for (const auto& shown : values) {
    session.console().result(fmt::format("  {}: {}  # {}", shown.key, escaped(shown.value), shown.origin.text()));
    object.emplace_back(shown.key, Json::Object{{"value", shown.value}, {"origin", shown.origin.text()}});
  }
  return object;
}

ExitStatus show(Session& session, const ConfigCommand& command) {
  const auto archives = session.archives(command.archives, command.overrides);
  session.console().result("options:");
  auto options = show_values(session, session.options().given);
  session.console().result("run:");
  auto run = show_values(session, show_run(session.config()));
  Json::Array documents;
  for (const auto& archive : archives) {
    session.console().result(archive.name + ":");
    documents.emplace_back(
        Json::Object{{"archive", archive.name}, {"values", show_values(session, show_archive(archive))}});
  }
  session.console().document(
      {{"options", std::move(options)}, {"run", std::move(run)}, {"archives", std::move(documents)}});
  return ExitStatus::ok;
}

// The YAML alone goes to standard output, so that it can be sent into a file.
ExitStatus import(Session& session, const std::vector<std::filesystem::path>& paths) {
  ImportSources sources;
  sources.paths = paths;
  const auto& environment = session.process().environment;
  if (const auto home = environment.find("HOME"); home != environment.end()) sources.home = home->second;
  sources.working_directory = std::filesystem::current_path();
  const auto imported = import_original(sources);
  auto status = ExitStatus::ok;
  for (const auto& problem : imported.problems) {
    session.console().problem(problem);
    if (problem.severity == Severity::warning) status = worse(status, ExitStatus::warnings);
    if (problem.severity == Severity::error) status = worse(status, ExitStatus::failed);
  }
  if (!session.options().json) session.process().out << imported.yaml;
  session.console().document({{"configuration", imported.yaml},
                              {"archives", Json::Array(imported.archives.begin(), imported.archives.end())}});
  return status;
}

}  // namespace

ExitStatus run_command(Session& session, const ConfigCommand& command) {
  if (command.action == "check") return check(session, command);
  if (command.action == "show") return show(session, command);
  if (command.action == "import") return import(session, command.paths);
  const auto text = command.action == "schema"      ? config_schema()
                    : command.action == "reference" ? config_reference()
                    : command.action == "problems"  ? problem_reference()
                                                    : config_example();
  session.console().text(text);
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
