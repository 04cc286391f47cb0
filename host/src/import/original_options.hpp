/// \file
/// The options of the original: where each may stand, and which value of several counts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/ini_file.hpp"
#include "import/spec_files.hpp"

namespace autoarchive::host {

struct OriginalOption {
  std::string_view name;
  bool in_conf = false;    ///< aa.conf
  bool in_spec = false;    ///< [Archive] of a ".aa" file
  bool has_force = false;  ///< force-NAME in aa.conf beats the specification
  /// Has no place in our configuration, and why: set here, it is said and left out.
  std::string_view without = {};
};

/// Null if the original has none of this name ("force-…" included).
[[nodiscard]] const OriginalOption* find_original_option(std::string_view name);
/// "unknown option 'x'; did you mean y?"
[[nodiscard]] std::string unknown_option_text(const std::string& name);

/// The values that count for one archive: force-… of aa.conf, then the specification, then aa.conf.
class OriginalValues {
 public:
  /// `confs`: weakest first. `spec` empty: no archive, aa.conf alone. Both must outlive this object.
  OriginalValues(const std::vector<IniFile>& confs, SpecFiles& specs, std::filesystem::path spec);

  /// None: not set anywhere. Throws Error(cause configuration).
  [[nodiscard]] std::optional<ImportedValue> find(const std::string& option) const;

 private:
  [[nodiscard]] std::optional<ImportedValue> of_confs(const std::string& option) const;
  const std::vector<IniFile>& confs_;
  SpecFiles& specs_;
  std::filesystem::path spec_;
};

}  // namespace autoarchive::host
