/// \file
/// The section `plugins` of the configuration: reading, schema, example and reference, from one table of keys.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "config/yaml_tree.hpp"
#include "output/json.hpp"

namespace autoarchive::host {

/// Takes a fault with its place; may be called any number of times.
using TakeFault = std::function<void(const Error&)>;

/// Reads the value of the key `plugins`. What is wrong is told to `fault`, and everything else is read all the same.
void read_plugins(const YamlNode& node, PluginsConfig& plugins, const TakeFault& fault);

[[nodiscard]] Json::Object plugins_schema();
/// With its own key, indented, each key with its meaning above it.
[[nodiscard]] std::string plugins_example();
/// A table in Markdown.
[[nodiscard]] std::string plugins_reference();

/// "unknown key 'x'; did you mean y?", or with all that are allowed.
[[nodiscard]] std::string unknown_key_text(const std::string& key, const std::vector<std::string>& known);

}  // namespace autoarchive::host
