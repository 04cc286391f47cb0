#include <fmt/format.h>
#include <fmt/ranges.h>

#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

Json::Array provider_ids(const PluginReport& report) {
  Json::Array ids;
  for (const auto& provider : report.descriptor.providers) ids.emplace_back(provider.id);
  return ids;
}

Json::Object as_json(const PluginReport& report) {
  Json::Object object;
  add_path(object, report.file.native());
  object.emplace_back("state", to_string(report.state));
  object.emplace_back("id", report.id());
  object.emplace_back("version", report.descriptor.version);
  object.emplace_back("providers", provider_ids(report));
  Json::Array refusals;
  for (const auto& refusal : report.refusals) {
    Json::Object told{{"code", refusal.code}, {"text", refusal.text}, {"remedy", refusal.remedy}};
    if (!refusal.field.empty()) {
      told.emplace_back("field", refusal.field);
      told.emplace_back("found", refusal.found);
      told.emplace_back("allowed", refusal.allowed);
    }
    refusals.emplace_back(std::move(told));
  }
  object.emplace_back("refusals", std::move(refusals));
  if (!report.shadowed_by.empty()) object.emplace_back("shadowed_by", report.shadowed_by);
  return object;
}

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

}  // namespace

ExitStatus run_command(Session& session, const PluginsCommand& /*list*/) {
  auto& all = session.unchecked_providers();
  all.load_all();
  Json::Array plugins;
  for (const auto& report : all.reports()) {
    print(session.console(), report);
    plugins.emplace_back(as_json(report));
  }
  Json::Array providers;
  for (const auto& candidate : all.candidates()) {
    print(session.console(), candidate);
    providers.emplace_back(as_json(candidate));
  }
  session.console().document({{"plugins", std::move(plugins)}, {"providers", std::move(providers)}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
