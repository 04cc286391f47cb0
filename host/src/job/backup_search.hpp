/// \file
/// Looks for backups of whatever archive among the files of a directory.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "autoarchive/storage/istorage.hpp"
#include "job/found_backups.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// A file that nothing is done with.
struct LeftAlone {
  std::string file;
  std::string reason;
  std::string problem;  ///< its id, e.g. "archive.damaged"; empty: it is worth a notice only
};

/// What lies in a directory.
struct FoundFiles {
  std::vector<FoundBackup> backups;  ///< of all archives
  std::vector<LeftAlone> others;     ///< neither ours nor beside one of ours
};

/// Looks at the beginning of every file. `directory` is the storage's: files that don't say which backup they are count
/// only where they lie in the destination of an archive. Throws Error(os_error).
[[nodiscard]] FoundFiles look_for_backups(Session& session, const IStorage& storage,
                                          const std::filesystem::path& directory);

}  // namespace autoarchive::host
