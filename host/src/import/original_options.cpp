#include "import/original_options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kForce = "force-";

constexpr std::array kOptions{
    OriginalOption{"archiver", true, true, true},
    OriginalOption{"compression-level", true, true, true},
    OriginalOption{"dest-dir", true, true, true},
    OriginalOption{"overwrite-at-start", true, true, true},
    OriginalOption{"incremental", true, true, true},
    OriginalOption{"restarting", true, true, true},
    OriginalOption{"restart-after-level", true, true},
    OriginalOption{"restart-after-age", true, true},
    OriginalOption{"full-restart-after-count", true, true},
    OriginalOption{"full-restart-after-age", true, true},
    OriginalOption{"max-restart-level-size", true, true},
    OriginalOption{"remove-obsolete-backups", true, true},
    OriginalOption{"keep-old-backups", true, true},
    OriginalOption{"number-of-old-backups", true, true},
    OriginalOption{"command-before-backup", true, true, true},
    OriginalOption{"command-after-backup", true, true, true},
    OriginalOption{"command-before-all-backups", true},
    OriginalOption{"command-after-all-backups", true},
    OriginalOption{"archive-specs-dir", true},
    OriginalOption{"user-config-dir", true},
    OriginalOption{"user-config-file", true},
    OriginalOption{"verbose", true, false, false, "say -v on the command line"},
    OriginalOption{"quiet", true, false, false, "say -q on the command line"},
};

}  // namespace

const OriginalOption* find_original_option(std::string_view name) {
  const bool is_forced = name.starts_with(kForce);
  if (is_forced) name.remove_prefix(kForce.size());
  const auto* const found = std::find_if(kOptions.begin(), kOptions.end(), [&](const auto& each) {
    return each.name == name && (!is_forced || each.has_force);
  });
  return found == kOptions.end() ? nullptr : found;
}

std::string unknown_option_text(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& option : kOptions) {
    names.emplace_back(option.name);
    if (option.has_force) names.push_back(std::string(kForce) + std::string(option.name));
  }
  const auto suggestion = nearest(name, names);
  return "unknown option " + quote(name) + (suggestion.empty() ? "" : "; did you mean " + suggestion + "?");
}

OriginalValues::OriginalValues(const std::vector<IniFile>& confs, SpecFiles& specs, std::filesystem::path spec)
    : confs_(confs), specs_(specs), spec_(std::move(spec)) {}

std::optional<ImportedValue> OriginalValues::find(const std::string& option) const {
  if (auto forced = of_confs(std::string(kForce) + option)) return forced;
  if (!spec_.empty()) {
    if (auto own = specs_.value(spec_, "Archive", option)) return own;
  }
  return of_confs(option);
}

std::optional<ImportedValue> OriginalValues::of_confs(const std::string& option) const {
  for (auto i = confs_.size(); i-- > 0;) {
    for (const auto& section : confs_[i].sections) {  // the original takes every option in either
      const auto* const found = section.find(option);
      if (found != nullptr && found->value && !found->value->empty())
        return ImportedValue{*found->value, found->origin};
    }
  }
  return std::nullopt;
}

}  // namespace autoarchive::host
