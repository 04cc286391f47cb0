/// \file
/// The original's files: sections in brackets, options with "=" or ":", lists over several indented lines. What
/// Python's configparser makes of them, with the place of everything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace autoarchive::host {

struct IniOption {
  std::string name;
  /// Without blanks around it; further lines after a "\n" each. None: there is no "=".
  std::optional<std::string> value;
  Origin origin;
};

struct IniSection {
  std::string name;
  Origin origin;
  std::vector<IniOption> options;  ///< each name once

  /// Null if there is none.
  [[nodiscard]] const IniOption* find(std::string_view option) const;
};

struct IniFile {
  std::filesystem::path path;
  std::vector<IniSection> sections;  ///< each name once

  /// Null if there is none.
  [[nodiscard]] const IniSection* find(std::string_view section) const;
};

/// `any_case`: names of options are put into lower case. Throws Error(cause configuration) with the place for what
/// stands outside of a section, has no name, or is there twice.
[[nodiscard]] IniFile parse_ini(std::string_view text, const std::filesystem::path& path, bool any_case);
/// The same for a file; what is too long or no text is refused.
[[nodiscard]] IniFile read_ini(const std::filesystem::path& path, bool any_case);

}  // namespace autoarchive::host
