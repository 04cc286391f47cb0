/// \file
/// One archive of the original's as keys of ours.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "import/original_import.hpp"
#include "import/original_options.hpp"
#include "import/spec_files.hpp"
#include "import/yaml_text.hpp"

namespace autoarchive::host {

struct ImportedArchive {
  std::string name;
  std::vector<YamlKey> keys;
  std::vector<std::string> doubts;  ///< "FILE:LINE:COLUMN: what can't be taken over as it is"
};

/// Throws Error(cause configuration) with the place of what makes it no archive.
[[nodiscard]] ImportedArchive import_archive(const std::filesystem::path& spec, SpecFiles& specs,
                                             const OriginalValues& values, const ImportSources& sources);

/// `command` as the original splits it: quotes and backslashes count, nothing else of a shell's does. Throws
/// Error(cause configuration) with the place if there is none, or a quote is not closed.
[[nodiscard]] std::vector<std::string> split_command(const ImportedValue& command);

/// An absolute path: "~" is the user's home and "~bob" bob's, and what is relative begins in the working directory, as
/// does "~nobody-here".
[[nodiscard]] std::filesystem::path absolute_path(std::string_view text, const ImportSources& sources);

}  // namespace autoarchive::host
