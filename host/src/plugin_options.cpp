#include "plugin_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "autoarchive/base/text.hpp"
#include "config/secret.hpp"

namespace autoarchive::host {
namespace {

const ProviderDeclaration* find_provider(const std::string& id, const std::vector<PluginReport>& reports) {
  for (const auto& report : reports) {
    if (!report.is_usable()) continue;
    for (const auto& provider : report.descriptor.providers) {
      if (provider.id == id) return &provider;
    }
  }
  return nullptr;
}

std::string unknown_option(const ProviderDeclaration& provider, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [key, option] : provider.options) known.push_back(key);
  const auto suggestion = nearest(name, known);
  const auto text = fmt::format("provider {} has no option {}", quote(provider.id), quote(name));
  if (!suggestion.empty()) return text + "; did you mean " + suggestion + "?";
  return known.empty() ? text + ", and takes none" : fmt::format("{}; it takes {}", text, fmt::join(known, ", "));
}

}  // namespace

std::vector<std::string> option_faults(const PluginsConfig& plugins, const std::vector<PluginReport>& reports) {
  std::vector<std::string> faults;
  for (const auto& [id, settings] : plugins.settings) {
    const auto* provider = find_provider(id, reports);
    if (provider == nullptr) continue;
    for (const auto& [name, value] : settings.options) {
      const auto place = settings.option_origins.at(name).text();
      const auto known = provider->options.find(name);
      if (known == provider->options.end()) {
        faults.push_back(place + ": " + unknown_option(*provider, name));
      } else if (is_secret_reference(value)) {
        continue;  // it is looked at when it is needed
      } else if (known->second.secret) {
        faults.push_back(
            fmt::format("{}: option {} of provider {} is a secret: say where it is, \"${{file:PATH}}\" or "
                        "\"${{env:NAME}}\"",
                        place, quote(name), quote(id)));
      } else if (const auto fault = fault_of_option(known->second, value); !fault.empty()) {
        faults.push_back(fmt::format("{}: option {} of provider {} {}", place, quote(name), quote(id), fault));
      }
    }
  }
  return faults;
}

}  // namespace autoarchive::host
