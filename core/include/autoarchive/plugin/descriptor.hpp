/// \file
/// What a plugin says of itself, as text: sorted "key=value" lines.
///
///     abi.…=…                                        fingerprint, written by the SDK (fingerprint.hpp)
///     format=1
///     id=org.autoarchive.tar-internal                reverse DNS
///     name=tar-internal
///     provider.tar-internal.features.tar.gz=CompressionStrength
///     provider.tar-internal.service=archiver
///     provider.tar-internal.types=tar,tar.gz
///     version=1.0.0
///
/// Keys that are not known are kept and ignored.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

inline constexpr int kDescriptorFormat = 1;
inline constexpr std::size_t kMaxDescriptorBytes = 16 * 1024;

/// A provider as it is declared.
struct ProviderDeclaration {
  std::string id;
  std::string service;
};

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
