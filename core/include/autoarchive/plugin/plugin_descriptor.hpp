/// \file
/// A plugin's descriptor (descriptor.hpp), read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

enum class OptionType : std::uint8_t { text, path, boolean, integer };

/// An option that a provider takes, as it is declared.
struct OptionDeclaration {
  OptionType type = OptionType::text;
  std::int64_t min = INT64_MIN;  ///< of an integer
  std::int64_t max = INT64_MAX;
  std::string default_value;  ///< for people; empty: said in `doc`
  std::string doc;
  bool secret = false;  ///< its value is never printed
};

/// A provider as it is declared.
struct ProviderDeclaration {
  std::string id;
  std::string service;
  std::map<std::string, std::vector<std::string>> features;  ///< by type, e.g. "tar.gz"; every type has an entry
  std::vector<std::string> needs;                            ///< executables, e.g. "tar"
  std::map<std::string, OptionDeclaration> options;
};

/// What is wrong with the value of an option, e.g. "has to be an integer from 1 to 64, and is 'x'"; empty: nothing.
[[nodiscard]] AA_EXPORT std::string fault_of_option(const OptionDeclaration& option, std::string_view value);

/// A parsed descriptor. A plain value.
struct PluginDescriptor {
  std::string id;
  std::string version;
  std::string name;
  std::vector<ProviderDeclaration> providers;
  std::map<std::string, std::string> lines;  ///< all of them, by key

  /// Empty if there is no such line.
  [[nodiscard]] AA_EXPORT std::string value(const std::string& key) const;
};

/// What parsing has found: all faults together, each a code and a text. No fault: the descriptor is complete.
struct DescriptorFault {
  std::string code;
  std::string text;
  std::string remedy;
};
struct ParsedDescriptor {
  PluginDescriptor descriptor;
  std::vector<DescriptorFault> faults;
};
[[nodiscard]] AA_EXPORT ParsedDescriptor parse_descriptor(std::string_view text);

}  // namespace autoarchive
