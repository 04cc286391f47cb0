// The values that are in force, and where they come from.
#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/base/text.hpp"
#include "config/archive_keys.hpp"
#include "config/rule_lists.hpp"
#include "config/secret.hpp"

namespace autoarchive::host {
namespace {

const Origin kBuiltIn{"built-in", 0, 0};

Origin origin_in(const std::map<std::string, Origin>& origins, const std::string& key) {
  const auto found = origins.find(key);
  return found == origins.end() ? kBuiltIn : found->second;
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

/// "[a, b]" of whatever has a text.
template <class List, class Text>
std::string list_of(const List& list, const Text& text) {
  std::string joined = "[";
  for (const auto& item : list) joined += (joined.size() == 1 ? "" : ", ") + text(item);
  return joined + "]";
}

std::string quoted(const std::string& text) {
  return quote(text);
}

std::string text_of(const std::pair<const std::string, ConfiguredPin>& pin) {
  return quote(pin.first) + ": {file: " + quote(pin.second.file.native()) + ", sha256: " + quote(pin.second.sha256) +
         "}";
}

void add_plugins(const PluginsConfig& plugins, std::vector<ShownValue>& values) {
  const auto add = [&](const std::string& key, std::string value) {
    values.push_back({"plugins." + key, std::move(value), origin_in(plugins.origins, key)});
  };
  add("directories",
      list_of(plugins.directories, [](const auto& directory) { return quote(directory.path.native()); }));
  add("allow", list_of(plugins.allow, quoted));
  add("deny", list_of(plugins.deny, quoted));
  add("pins", list_of(plugins.pins, [](const auto& pin) { return text_of(pin); }));
  add("dev_overrides", list_of(plugins.dev_overrides, [](const auto& override) {
        return quote(override.first) + ": " + quote(override.second.path.native());
      }));
  add("environment_path", text_of(plugins.environment_path));
  for (const auto& [id, settings] : plugins.settings) {
    const auto key = [&plugin = id](std::string_view name) { return fmt::format("settings.{}.{}", plugin, name); };
    add(key("priority"), std::to_string(settings.priority));
    add(key("enabled"), text_of(settings.enabled));
    add(key("required"), text_of(settings.required));
    // Only its plugin knows whether a value is a secret that should not stand there: what is no reference is not shown.
    for (const auto& [name, value] : settings.options)
      add(key("options." + name), is_secret_reference(value) ? value : std::string("(set)"));
  }
}

}  // namespace

std::vector<ShownValue> show_run(const Config& config) {
  std::vector<ShownValue> values;
  const auto add = [&](const std::string& key, std::string value) {
    values.push_back({key, std::move(value), origin_in(config.origins, key)});
  };
  add("files", list_of(config.files, [](const auto& file) { return quote(file.native()); }));
  add("state_dir", config.state_dir.native());
  add("jobs", std::to_string(config.jobs));
  add("nice", config.nice ? std::to_string(*config.nice) : std::string("as it is"));
  add("ionice", config.ionice.empty() ? "as it is" : config.ionice);
  add("hooks", text_of(config.hooks));
  add_plugins(config.plugins, values);
  return values;
}

std::vector<ShownValue> show_archive(const ArchiveConfig& archive) {
  std::vector<ShownValue> values;
  for (const auto& key : archive_keys()) {
    if (key.name == "extends") continue;
    const std::string name(key.name);
    values.push_back({name, key.show(archive), origin_in(archive.origins, name)});
  }
  return values;
}

}  // namespace autoarchive::host
