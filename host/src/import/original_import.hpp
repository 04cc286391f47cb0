/// \file
/// The configuration of the original AutoArchive as one of ours.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "output/console.hpp"

namespace autoarchive::host {

/// Where to look. Given, not taken from the process, so that tests can.
struct ImportSources {
  /// ".aa" files, folders of the original's user configuration, and files of options, the weakest first. Empty: what
  /// the original reads by itself.
  std::vector<std::filesystem::path> paths;
  std::filesystem::path system_file = "/etc/aa/aa.conf";
  std::filesystem::path home;               ///< for "~"
  std::filesystem::path working_directory;  ///< for what is relative
};

struct ImportResult {
  std::string yaml;
  std::vector<std::string> archives;  ///< that are in it
  /// What could not be taken over as it is (a warning) or an archive that is missing in the YAML (an error); each with
  /// its place. Warnings stand in the YAML as comments, too.
  std::vector<Problem> problems;
};

/// Throws Error: file_not_found or cause configuration if a file of options can't be read, key_error
/// (no_such_backup) if there is nothing to import.
[[nodiscard]] ImportResult import_original(const ImportSources& sources);

}  // namespace autoarchive::host
