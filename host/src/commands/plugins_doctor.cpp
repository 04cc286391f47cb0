#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "autoarchive/base/text.hpp"
#include "commands/plugin_actions.hpp"
#include "job/program.hpp"
#include "plugin_options.hpp"

namespace autoarchive::host {
namespace {

/// One thing that is wrong.
struct Finding {
  std::string plugin;  ///< its file; empty: the configuration
  std::string code;
  std::string text;
  std::string remedy;
};

struct Stage {
  std::string_view codes;  ///< what its codes begin with
  std::string_view name;
};
constexpr std::array kStages{Stage{"AA-P1", "file"},   Stage{"AA-P2", "ELF"}, Stage{"AA-P3", "note"},
                             Stage{"AA-P4", "policy"}, Stage{"AA-P5", "ABI"}, Stage{"AA-P6", "load"}};

// "file ok, ELF ok, note: AA-P303"
std::string stages_of(const PluginReport& report) {
  std::string text;
  const auto code = report.refusals.empty() ? std::string() : report.refusals.front().code;
  for (const auto& stage : kStages) {
    if (!text.empty()) text += ", ";
    text += stage.name;
    if (code.starts_with(stage.codes)) return fmt::format("{}: {}", text, code);
    text += " ok";
    if (report.state == PluginState::shadowed && stage.name == "ABI") return text;
  }
  return text;
}

void examine(const PluginReport& report, const std::string& path, std::vector<Finding>& findings) {
  const auto file = report.file.native();
  for (const auto& refusal : report.refusals) findings.push_back({file, refusal.code, refusal.text, refusal.remedy});
  if (report.state == PluginState::shadowed) {
    findings.push_back({file, "", "it is not used: " + quote(report.shadowed_by) + " has the same id and comes first",
                        "remove one of the two, or name one in plugins.pins"});
  }
  if (!report.is_usable()) return;
  for (const auto& provider : report.descriptor.providers) {
    for (const auto& program : provider.needs) {
      if (!find_program(program, path).empty()) continue;
      findings.push_back({file, "AA-P701",
                          fmt::format("provider {} needs the program {}, which is not in {}", provider.id,
                                      quote(program), quote(path)),
                          "install it"});
    }
  }
}

Json::Object as_json(const Finding& finding) {
  return {{"plugin", finding.plugin}, {"code", finding.code}, {"text", finding.text}, {"remedy", finding.remedy}};
}

std::vector<Finding> examine_all(Session& session, const std::string& plugin) {
  const auto found = session.process().environment.find("PATH");
  const auto path = found == session.process().environment.end() ? std::string("/usr/bin:/bin") : found->second;
  const auto* one = plugin.empty() ? nullptr : &find_plugin(session, plugin, /*no_load=*/false);
  auto& all = session.unchecked_providers();
  all.load_all();
  std::vector<Finding> findings;
  for (const auto& report : all.reports()) {
    if (one != nullptr && one != &report) continue;
    if (report.state != PluginState::unsearched)
      session.console().result(fmt::format("{}: {}", quote(report.file.native()), stages_of(report)));
    examine(report, path, findings);
  }
  if (one != nullptr) return findings;
  for (const auto& candidate : all.candidates()) {
    if (!candidate.availability.available && !candidate.availability.reason.starts_with("plugin "))
      findings.push_back(
          {"", "AA-P701", "provider " + candidate.provider_id + " is not available", candidate.availability.reason});
  }
  for (const auto& fault : option_faults(session.config().plugins, all.reports()))
    findings.push_back({"", "", fault, "correct the configuration"});
  return findings;
}

}  // namespace

ExitStatus examine_plugins(Session& session, const std::string& plugin) {
  const auto findings = examine_all(session, plugin);
  Json::Array documents;
  for (const auto& finding : findings) {
    session.console().result(fmt::format("problem   {}{}{}{}",
                                         finding.plugin.empty() ? "" : quote(finding.plugin) + ": ", finding.code,
                                         finding.code.empty() ? "" : " ", finding.text));
    session.console().result("          fix: " + finding.remedy);
    documents.emplace_back(as_json(finding));
  }
  if (findings.empty()) session.console().result("nothing is wrong");
  const auto status = findings.empty() ? ExitStatus::ok : ExitStatus::warnings;
  session.console().document({{"exit_code", static_cast<int>(status)}, {"findings", std::move(documents)}});
  return status;
}

}  // namespace autoarchive::host
