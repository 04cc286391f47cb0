#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "commands/plugin_actions.hpp"

namespace autoarchive::host {
namespace {

Json::Array provider_ids(const PluginReport& report) {
  Json::Array ids;
  for (const auto& provider : report.descriptor.providers) ids.emplace_back(provider.id);
  return ids;
}

bool is_file(const std::string& plugin) {
  return plugin.find('/') != std::string::npos || plugin.ends_with(".so");
}

std::string sha256_of_plugin(const PluginReport& report) {
  const UniqueFd fd(::open(report.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  try {
    return fd ? sha256_of_file(fd.get()) : std::string();
  } catch (const Error&) {  // a directory, or a disk that fails; the refusals say what is wrong
    return {};
  }
}

std::string_view word(OptionType type) {
  constexpr std::array<std::string_view, 4> kWords{"text", "path", "boolean", "integer"};
  return kWords[static_cast<std::size_t>(type)];
}

Json::Object as_json(const OptionDeclaration& option) {
  Json::Object object{{"type", word(option.type)}, {"default", option.default_value}, {"doc", option.doc}};
  if (option.min != INT64_MIN) object.emplace_back("min", option.min);
  if (option.max != INT64_MAX) object.emplace_back("max", option.max);
  object.emplace_back("secret", option.secret);
  return object;
}

Json::Object as_json(const ProviderDeclaration& provider) {
  Json::Object types;
  for (const auto& [type, features] : provider.features)
    types.emplace_back(type, Json::Array(features.begin(), features.end()));
  Json::Object options;
  for (const auto& [name, option] : provider.options) options.emplace_back(name, as_json(option));
  return {{"provider", provider.id},
          {"service", provider.service},
          {"types", std::move(types)},
          {"needs", Json::Array(provider.needs.begin(), provider.needs.end())},
          {"options", std::move(options)}};
}

void print(Console& console, const ProviderDeclaration& provider) {
  console.result(fmt::format("provider  {}, of the service {}", provider.id, provider.service));
  for (const auto& [type, features] : provider.features)
    console.result(features.empty() ? "          " + type
                                    : fmt::format("          {:<9}{}", type, fmt::join(features, " ")));
  if (!provider.needs.empty())
    console.result(fmt::format("          needs the programs {}", fmt::join(provider.needs, ", ")));
  for (const auto& [name, option] : provider.options) {
    console.result(fmt::format("          option {} ({}{}): {}", name, word(option.type),
                               option.default_value.empty() ? "" : ", default " + option.default_value, option.doc));
  }
}

void print(Console& console, const PluginReport& report, const std::string& sha256) {
  console.result(fmt::format("plugin    {} {}", report.id().empty() ? "?" : report.id(), report.descriptor.version));
  console.result(fmt::format("file      {}{}", quote(report.file.native()),
                             report.named_by.empty() ? "" : ", named by " + report.named_by));
  console.result(fmt::format("state     {}", to_string(report.state)));
  if (!report.shadowed_by.empty()) console.result("          by " + quote(report.shadowed_by));
  for (const auto& refusal : report.refusals) {
    console.result(fmt::format("          {} {}", refusal.code, refusal.text));
    console.result(fmt::format("          fix: {}", refusal.remedy));
  }
  if (!sha256.empty()) console.result("sha256    " + sha256);
  for (const auto& provider : report.descriptor.providers) print(console, provider);
  for (const auto& [key, value] : report.descriptor.lines) {
    if (key.starts_with("abi.")) console.result(fmt::format("{:<9} {}", key.substr(4), value));
  }
}

}  // namespace

Json::Object report_json(const PluginReport& report) {
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

const PluginReport& find_plugin(Session& session, const std::string& plugin, bool no_load) {
  const auto file = is_file(plugin) ? std::filesystem::absolute(plugin) : std::filesystem::path();
  auto& all = session.unchecked_providers(file);
  if (!no_load) all.load_all();
  std::vector<std::string> known;
  for (const auto& report : all.reports()) {
    if (file.empty() ? report.id() == plugin || report.descriptor.name == plugin : report.file == file) return report;
    if (!report.id().empty()) known.push_back(report.id());
  }
  const auto suggestion = nearest(plugin, known);
  throw Error(ErrorCode::key_error,
              fmt::format("there is no plugin {}; {}", quote(plugin),
                          suggestion.empty() ? "see aa plugins list" : "did you mean " + suggestion + "?"),
              ErrorCause::no_such_backup);
}

ExitStatus inspect_plugin(Session& session, const std::string& plugin, bool no_load) {
  const auto& report = find_plugin(session, plugin, no_load);
  const auto sha256 = sha256_of_plugin(report);
  print(session.console(), report, sha256);
  auto document = report_json(report);
  document.emplace_back("sha256", sha256);
  Json::Array declared;
  for (const auto& provider : report.descriptor.providers) declared.emplace_back(as_json(provider));
  document.emplace_back("declared", std::move(declared));
  Json::Object lines;
  for (const auto& [key, value] : report.descriptor.lines) lines.emplace_back(key, value);
  document.emplace_back("descriptor", std::move(lines));
  session.console().document(std::move(document));
  return report.state == PluginState::refused ? ExitStatus::no_provider : ExitStatus::ok;
}

}  // namespace autoarchive::host
