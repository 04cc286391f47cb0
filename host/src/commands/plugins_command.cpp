#include <fmt/format.h>
#include <fmt/ranges.h>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "commands/plugin_actions.hpp"

namespace autoarchive::host {
namespace {

Json::Object as_json(const RouteCandidate& candidate) {
  Json::Object types;
  for (const auto& [type, features] : candidate.features) {
    Json::Array names;
    for (const auto& feature : features) names.emplace_back(feature.name);
    types.emplace_back(type.extension, std::move(names));
  }
  return {{"provider", candidate.provider_id},
          {"rank", candidate.rank},
          {"available", candidate.availability.available},
          {"reason", candidate.availability.reason},
          {"types", std::move(types)}};
}

void print(Console& console, const PluginReport& report) {
  console.result(fmt::format("{:<9} {} {}  {}", to_string(report.state), report.id().empty() ? "?" : report.id(),
                             report.descriptor.version, quote(report.file.native())));
  for (const auto& refusal : report.refusals) {
    console.result(fmt::format("          {} {}", refusal.code, refusal.text));
    console.result(fmt::format("          fix: {}", refusal.remedy));
  }
  if (!report.shadowed_by.empty()) console.result("          shadowed by " + quote(report.shadowed_by));
}

void print(Console& console, const RouteCandidate& candidate) {
  console.result(
      fmt::format("provider  {}{}", candidate.provider_id,
                  candidate.availability.available ? "" : ": unavailable, " + candidate.availability.reason));
  for (const auto& [type, features] : candidate.features) {
    std::vector<std::string> names;
    for (const auto& feature : features) names.push_back(feature.name);
    console.result(fmt::format("          {}{}", names.empty() ? type.extension : fmt::format("{:<9}", type.extension),
                               fmt::join(names, " ")));
  }
}

ExitStatus list_plugins(Session& session) {
  auto& all = session.unchecked_providers();
  all.load_all();
  Json::Array plugins;
  for (const auto& report : all.reports()) {
    print(session.console(), report);
    plugins.emplace_back(report_json(report));
  }
  Json::Array providers;
  for (const auto& candidate : all.candidates()) {
    print(session.console(), candidate);
    providers.emplace_back(as_json(candidate));
  }
  session.console().document({{"plugins", std::move(plugins)}, {"providers", std::move(providers)}});
  return ExitStatus::ok;
}

}  // namespace

ExitStatus run_command(Session& session, const PluginsCommand& command) {
  if (command.action == "inspect") return inspect_plugin(session, command.plugin, command.no_load);
  if (command.action == "doctor") return examine_plugins(session, command.plugin);
  if (command.action == "new") return make_plugin(session, command.plugin, command.directory);
  if (command.action == "validate") return validate_plugin(session, command);
  return list_plugins(session);
}

}  // namespace autoarchive::host
