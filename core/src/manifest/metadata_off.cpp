#include "autoarchive/manifest/metadata_off.hpp"

#include <utility>

namespace autoarchive {
namespace {

// Without sparse, the content is stored nevertheless.
constexpr std::pair<std::string_view, bool MetadataOptions::*> kOptions[] = {
    {"xattrs", &MetadataOptions::xattrs},
    {"acls", &MetadataOptions::acls},
    {"selinux", &MetadataOptions::selinux},
    {"owner_names", &MetadataOptions::owner_names},
    {"nanoseconds", &MetadataOptions::nanoseconds}};

}  // namespace

std::string with_metadata_off(std::string definition, const MetadataOptions& options) {
  for (const auto& [name, option] : kOptions) {
    if (!(options.*option)) definition.append(" ").append(name);
  }
  return definition;
}

std::string_view added_metadata(std::string_view definition, const MetadataOptions& now) {
  for (auto blank = definition.find(' '); blank != std::string_view::npos; blank = definition.find(' ')) {
    definition.remove_prefix(blank + 1);
    const auto word = definition.substr(0, definition.find(' '));
    for (const auto& [name, option] : kOptions) {
      if (name == word && now.*option) return name;
    }
  }
  return {};
}

}  // namespace autoarchive
