/// \file
/// A YAML document as a plain tree with positions. Everything that makes YAML ambiguous or dangerous is refused here,
/// before any value is looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/text_file.hpp"

namespace autoarchive::host {

enum class YamlKind : std::uint8_t { null, scalar, sequence, mapping };

struct YamlMember;

/// A node. A plain value.
struct YamlNode {
  YamlKind kind = YamlKind::null;
  std::string text;                 ///< scalars
  bool quoted = false;              ///< scalars that are text whatever they look like
  std::vector<YamlNode> items;      ///< sequences
  std::vector<YamlMember> members;  ///< mappings; keys are scalars, each once
  Origin origin;
};

/// One line of a mapping.
struct YamlMember {
  YamlNode key;
  YamlNode value;
};

/// The document of a text of at most 1 MiB. Throws Error(value_error, cause configuration) with "FILE:LINE:COLUMN: …"
/// for anchors and aliases, tags, duplicate keys, keys that are no scalars, a second document, more than 64 levels,
/// control characters, and what is not UTF-8 or not YAML.
[[nodiscard]] YamlNode parse_yaml(std::string_view text, const std::string& file);
/// The same for a file, read by read_config_text().
[[nodiscard]] YamlNode read_yaml(const std::filesystem::path& file, bool as_root);

}  // namespace autoarchive::host
