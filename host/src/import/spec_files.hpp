/// \file
/// The original's archive specifications: values of ".aa" files with everything replaced that refers to another value.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "import/ini_file.hpp"

namespace autoarchive::host {

struct ImportedValue {
  std::string text;
  Origin origin;
};

/// Reads each file once. Not thread-safe.
///
/// In a value, %(option)s is an option of the same section ("%%" is a percent sign), and @(other.option) the value of
/// that option in the same section of another file; quotes around it go with it. [External] says which file: "other" is
/// other.aa in the folder of specifications, "other = path" any.
class SpecFiles {
 public:
  explicit SpecFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Throws Error(cause configuration) if it can't be read.
  [[nodiscard]] const IniFile& read(const std::filesystem::path& file);
  /// None if the file does not have the section or the option, or the option has no text. Throws Error(cause
  /// configuration) with the place of what refers to nothing, to itself, or is nested more than 40 deep.
  [[nodiscard]] std::optional<ImportedValue> value(const std::filesystem::path& file, const std::string& section,
                                                   const std::string& option);

 private:
  /// A place in the files, and how deep in references.
  struct Place {
    const IniFile& file;
    std::string section;
    int depth = 0;
  };
  [[nodiscard]] std::string expand(const Place& place, const IniOption& option);
  void check_nesting(int depth, const Origin& origin);
  [[nodiscard]] std::string with_options(const Place& place, const Origin& origin, std::string_view text, int depth);
  [[nodiscard]] std::string with_references(const Place& place, const Origin& origin, std::string_view text);
  [[nodiscard]] std::string reference(const Place& place, const Origin& origin, const std::string& name,
                                      const std::string& option);
  [[nodiscard]] std::filesystem::path external(const IniFile& file, const Origin& origin,
                                               const std::string& name) const;

  std::filesystem::path folder_;
  std::map<std::filesystem::path, IniFile> files_;
  int replacements_ = 0;  // for the value that is being made
};

}  // namespace autoarchive::host
