#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands/commands.hpp"
#include "job/next_backup.hpp"

namespace autoarchive::host {
namespace {

std::string wish(const RouteRequest& request) {
  std::string text = request.type.extension;
  for (const auto& feature : request.required) text += " with " + feature.name;
  for (const auto& feature : request.preferred) text += ", preferably with " + feature.name;
  if (!request.pinned.empty()) text += ", pinned to " + request.pinned;
  return text;
}

Json::Object as_json(const std::string& archive, const RouteRequest& request, const RouteDecision& decision) {
  const auto names_of = [](const std::set<ArchiverFeature>& features) {
    Json::Array names;
    for (const auto& feature : features) names.emplace_back(feature.name);
    return names;
  };
  Json::Array verdicts;
  for (const auto& verdict : decision.verdicts) {
    verdicts.emplace_back(Json::Object{{"provider", verdict.provider_id},
                                       {"eligible", verdict.eligible},
                                       {"chosen", verdict.chosen},
                                       {"reasons", Json::Array(verdict.reasons.begin(), verdict.reasons.end())}});
  }
  return {{"archive", archive},
          {"type", request.type.extension},
          {"required", names_of(request.required)},
          {"preferred", names_of(request.preferred)},
          {"chosen", decision.chosen ? Json(*decision.chosen) : Json()},
          {"candidates", std::move(verdicts)}};
}

}  // namespace

ExitStatus run_command(Session& session, const RouteCommand& command) {
  auto status = ExitStatus::ok;
  Json::Array documents;
  for (const auto& archive : session.some_archives(command.archives, command.overrides)) {
    warn_of_preferences(session, archive);
    const auto request = route_request(session.providers(), archive, "");
    const auto decision = route(request, session.providers().policy(), session.providers().candidates());
    session.console().result(fmt::format("{}: {}", archive.name, wish(request)));
    for (const auto& verdict : decision.verdicts) {
      session.console().result(fmt::format("  {} {}: {}",
                                           verdict.chosen     ? "->"
                                           : verdict.eligible ? " +"
                                                              : " -",
                                           verdict.provider_id, fmt::join(verdict.reasons, "; ")));
    }
    if (!decision.chosen) {
      session.console().result("  no provider");
      status = worse(status, ExitStatus::no_provider);
    }
    documents.emplace_back(as_json(archive.name, request, decision));
  }
  session.console().document({{"exit_code", static_cast<int>(status)}, {"routes", std::move(documents)}});
  return status;
}

}  // namespace autoarchive::host
