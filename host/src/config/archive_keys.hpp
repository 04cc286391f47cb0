/// \file
/// The table of keys: what an archive (and defaults, and templates) may have. Reading, checking, showing, the schema,
/// the example and the reference all come from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/yaml_tree.hpp"

namespace autoarchive::host {

enum class ValueKind : std::uint8_t { text, path, boolean, integer, percent, size, duration, text_list, rule_list };

/// One key. Nested ones are dotted: "keep.generations".
struct ArchiveKey {
  std::string_view name;
  ValueKind kind;
  std::string_view example;        ///< as YAML
  std::string_view documentation;  ///< one sentence or two
  std::int64_t min = 0;            ///< integers and percents
  std::int64_t max = 0;
  /// Stores a checked value; throws Error without a place for what only this key knows.
  void (*set)(ArchiveConfig& archive, const YamlNode& value);
  std::string (*show)(const ArchiveConfig& archive);
};

[[nodiscard]] std::span<const ArchiveKey> archive_keys();
/// Null if there is none.
[[nodiscard]] const ArchiveKey* find_archive_key(std::string_view name);

/// "a text", "a list of texts", "an integer from 0 to 9" …
[[nodiscard]] std::string describe(const ArchiveKey& key);
/// Checks the value against the key's kind, and stores it. Throws Error with the place.
void apply_archive_key(const ArchiveKey& key, const YamlNode& value, ArchiveConfig& archive);

/// Scalars as values; none if the node is not one. Booleans are true and false only.
[[nodiscard]] std::optional<bool> as_boolean(const YamlNode& node);
[[nodiscard]] std::optional<std::int64_t> as_integer(const YamlNode& node);
/// The text of a node with "${NAME}" replaced from the environment; "$${NAME}" stands for itself. Throws Error with the
/// place if a variable is not set or empty.
[[nodiscard]] std::string with_environment(const YamlNode& node);
/// An absolute path; "~/" is the user's home, and "${NAME}" is from the environment. Throws Error with the place.
[[nodiscard]] std::filesystem::path as_path(const YamlNode& node);

}  // namespace autoarchive::host
