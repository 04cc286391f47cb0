#include "config/plugin_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "autoarchive/base/text.hpp"
#include "config/archive_keys.hpp"

namespace autoarchive::host {
namespace {

/// What stands between the reading functions: where faults go.
struct Reading {
  PluginsConfig& plugins;
  const TakeFault& take_fault;

  void fault(const YamlNode& node, const std::string& text) const { take_fault(config_error(node.origin, text)); }
  [[nodiscard]] bool is_mapping(const YamlNode& node, const std::string& what) const {
    if (node.kind == YamlKind::mapping) return true;
    if (node.kind != YamlKind::null) fault(node, what + " has to be a mapping of keys");
    return false;
  }
  /// Empty, with the fault told, if it is none.
  [[nodiscard]] std::filesystem::path path(const YamlNode& node) const {
    try {
      return as_path(node);
    } catch (const Error& error) {
      take_fault(error);
      return {};
    }
  }
  [[nodiscard]] bool boolean(const YamlNode& node, const std::string& what) const {
    const auto value = as_boolean(node);
    if (!value) fault(node, what + " has to be true or false");
    return value.value_or(false);
  }
  [[nodiscard]] std::vector<YamlNode> texts(const YamlNode& node, const std::string& what) const {
    const bool good =
        node.kind == YamlKind::sequence && std::all_of(node.items.begin(), node.items.end(),
                                                       [](const auto& item) { return item.kind == YamlKind::scalar; });
    if (!good) fault(node, what + " has to be a list of texts");
    return good ? node.items : std::vector<YamlNode>();
  }
};

void read_directories(const YamlNode& node, const Reading& in) {
  for (const auto& item : in.texts(node, "plugins.directories"))
    in.plugins.directories.push_back({in.path(item), item.origin});
}

void read_deny(const YamlNode& node, const Reading& in) {
  for (const auto& item : in.texts(node, "plugins.deny")) in.plugins.deny.insert(item.text);
}

void read_allow(const YamlNode& node, const Reading& in) {
  for (const auto& item : in.texts(node, "plugins.allow")) in.plugins.allow.insert(item.text);
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f');
         });
}

void read_pins(const YamlNode& node, const Reading& in) {
  if (!in.is_mapping(node, "plugins.pins")) return;
  for (const auto& [id, pin] : node.members) {
    if (!in.is_mapping(pin, "plugins.pins." + id.text)) continue;
    auto& read = in.plugins.pins[id.text];
    read.origin = id.origin;
    for (const auto& [key, value] : pin.members) {
      if (key.text == "file") {
        read.file = in.path(value);
      } else if (key.text == "sha256") {
        read.sha256 = value.text;
        if (!is_sha256(value.text)) in.fault(value, "sha256 has to be 64 hexadecimal digits in lower case");
      } else {
        in.fault(key, unknown_key_text(key.text, {"file", "sha256"}));
      }
    }
  }
}

void read_dev_overrides(const YamlNode& node, const Reading& in) {
  if (!in.is_mapping(node, "plugins.dev_overrides")) return;
  for (const auto& [id, file] : node.members) in.plugins.dev_overrides[id.text] = {in.path(file), id.origin};
}

void read_environment_path(const YamlNode& node, const Reading& in) {
  in.plugins.environment_path = in.boolean(node, "plugins.environment_path");
}

void read_options(const YamlNode& node, const Reading& in, const std::string& id, ProviderSettings& settings) {
  if (!in.is_mapping(node, "options")) return;
  for (const auto& [option, value] : node.members) {
    if (value.kind != YamlKind::scalar) in.fault(value, "option " + quote(option.text) + " has to be a text");
    settings.options[option.text] = value.text;
    settings.option_origins[option.text] = option.origin;
    in.plugins.origins["settings." + id + ".options." + option.text] = value.origin;
  }
}

void read_provider(const YamlNode& node, const Reading& in, const std::string& id, ProviderSettings& settings) {
  for (const auto& [key, value] : node.members) {
    in.plugins.origins["settings." + id + "." + key.text] = value.origin;
    if (key.text == "priority") {
      const auto priority = as_integer(value);
      if (!priority || *priority < -1000 || *priority > 1000) {
        in.fault(value, "priority has to be an integer from -1000 to 1000");
      } else {
        settings.priority = static_cast<int>(*priority);
      }
    } else if (key.text == "enabled") {
      settings.enabled = in.boolean(value, "enabled");
    } else if (key.text == "required") {
      settings.required = in.boolean(value, "required");
    } else if (key.text == "options") {
      read_options(value, in, id, settings);
    } else {
      in.fault(key, unknown_key_text(key.text, {"enabled", "options", "priority", "required"}));
    }
  }
}

void read_settings(const YamlNode& node, const Reading& in) {
  if (!in.is_mapping(node, "plugins.settings")) return;
  for (const auto& [id, settings] : node.members) {
    if (!in.is_mapping(settings, "plugins.settings." + id.text)) continue;
    auto& read = in.plugins.settings[id.text];
    read.origin = id.origin;
    read_provider(settings, in, id.text, read);
  }
}

struct PluginKey {
  const char* name;
  const char* value;    ///< for people
  const char* example;  ///< as YAML
  const char* documentation;
  void (*read)(const YamlNode& node, const Reading& in);
};
constexpr std::array kPluginKeys{
    PluginKey{
        "directories", "a list of absolute paths", "[]",
        "Searched after --plugin-dir and before the installed plugins, e.g. [/opt/autoarchive/plugins]. Each has to "
        "exist.",
        read_directories},
    PluginKey{"allow", "a list of texts", "[]", "Ids of the only plugins that are loaded. Empty: all.", read_allow},
    PluginKey{"deny", "a list of texts", "[]", "Plugins that are not loaded and providers that are not used.",
              read_deny},
    PluginKey{"pins", "by plugin id: `file`, `sha256`", "{}",
              "The file that a plugin is taken from, the content that it has to have, or both, e.g. {org.example.zip: "
              "{file: /opt/zip.so, sha256: 9f86…}}.",
              read_pins},
    PluginKey{"dev_overrides", "by plugin id: an absolute path", "{}",
              "This file instead of any other, while you work on a plugin, e.g. {org.example.zip: "
              "/home/me/zip/build/zip.so}. Said aloud in each run; not in safe mode.",
              read_dev_overrides},
    PluginKey{"environment_path", "true or false", "false", "AA_PLUGIN_PATH counts for root, too.",
              read_environment_path},
    PluginKey{
        "settings", "by provider id: `priority`, `enabled`, `required`, `options`",
        "{tar-external: {priority: 0, enabled: true, required: false, options: {tar: /usr/bin/tar}}}",
        "A higher priority (-1000 to 1000) is preferred where several can do a job. Not enabled is never used; "
        "nothing is started without what is required. The options are the plugin's: aa plugins inspect; what nobody "
        "shall see is \"${file:PATH}\" or \"${env:NAME}\", and never shown.",
        read_settings}};

Json::Object by_id(Json value) {
  return {{"type", "object"}, {"additionalProperties", std::move(value)}};
}

Json::Object closed(Json::Object properties) {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

}  // namespace

std::string unknown_key_text(const std::string& key, const std::vector<std::string>& known) {
  const auto suggestion = nearest(key, known);
  auto text = "unknown key " + quote(key);
  if (!suggestion.empty()) return text + "; did you mean " + suggestion + "?";
  text += "; allowed are";
  for (const auto& name : known) text += " " + name;
  return text;
}

void read_plugins(const YamlNode& node, PluginsConfig& plugins, const TakeFault& fault) {
  const Reading in{plugins, fault};
  if (!in.is_mapping(node, "plugins")) return;
  for (const auto& [key, value] : node.members) {
    const auto* const known = std::find_if(kPluginKeys.begin(), kPluginKeys.end(),
                                           [&name = key.text](const auto& each) { return each.name == name; });
    if (known != kPluginKeys.end()) {
      known->read(value, in);
      plugins.origins[key.text] = value.origin;
      continue;
    }
    std::vector<std::string> names(kPluginKeys.size());
    std::transform(kPluginKeys.begin(), kPluginKeys.end(), names.begin(), [](const auto& each) { return each.name; });
    in.fault(key, unknown_key_text(key.text, names));
  }
}

Json::Object plugins_schema() {
  const Json::Object text{{"type", "string"}};
  const Json::Object boolean{{"type", "boolean"}};
  const Json::Object texts{{"type", "array"}, {"items", text}};
  const Json::Object digest{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}};
  const auto settings = closed({{"priority", Json::Object{{"type", "integer"}, {"minimum", -1000}, {"maximum", 1000}}},
                                {"enabled", boolean},
                                {"required", boolean},
                                {"options", Json::Object{{"type", "object"}}}});
  return closed({{"directories", texts},
                 {"allow", texts},
                 {"deny", texts},
                 {"pins", by_id(closed({{"file", text}, {"sha256", digest}}))},
                 {"dev_overrides", by_id(text)},
                 {"environment_path", boolean},
                 {"settings", by_id(settings)}});
}

std::string plugins_example() {
  std::string out = "plugins:\n";
  for (const auto& key : kPluginKeys)
    out += fmt::format("  # {}\n  {}: {}\n", key.documentation, key.name, key.example);
  return out;
}

std::string plugins_reference() {
  std::string out = "| key | value | meaning |\n| --- | --- | --- |\n";
  for (const auto& key : kPluginKeys)
    out += fmt::format("| `plugins.{}` | {} | {} |\n", key.name, key.value, key.documentation);
  return out;
}

}  // namespace autoarchive::host
