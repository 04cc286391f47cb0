/// \file
/// Values as YAML that the configuration's reader takes, for people to read on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::host {

/// The text plain where that is safe, else in double quotes.
[[nodiscard]] std::string yaml_text(std::string_view text);
/// "[a, \"b c\"]"
[[nodiscard]] std::string yaml_list(const std::vector<std::string>& texts);

/// One key of an archive.
struct YamlKey {
  std::string name;                 ///< dotted, e.g. "keep.generations"
  std::vector<std::string> values;  ///< YAML each
  bool is_list = false;             ///< else there is one value
  friend bool operator==(const YamlKey&, const YamlKey&) = default;
};

/// The keys as lines of a mapping. REQUIRES: keys of a group stand together.
[[nodiscard]] std::string yaml_mapping(const std::vector<YamlKey>& keys, std::string_view indent);

}  // namespace autoarchive::host
