/// \file
/// From archive files alone to backups that restore: names, manifests, RESTORE.txt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "autoarchive/archiver/archive_comment.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// What became of one file.
struct RescannedBackup {
  std::string file;  ///< what it is called now
  std::string was;   ///< and before
  ArchiveIdentity identity;
  std::string manifest;  ///< "there", "from state", "rebuilt", "none"
  std::string trouble;   ///< empty: it can be restored with its chain; else why not, or why nothing was done with it
  std::string problem;   ///< id of the trouble, e.g. "chain.broken"; empty: it is worth a notice only
  std::string snapshot;  ///< that was taken over for it, where it was found; empty: none
};

/// Gives the files of one archive their names, their manifests and their digests, and renews RESTORE.txt, all in one
/// commit, under the archive's lock. Nothing that is whole is overwritten. `snapshots`, if not empty, is where GNU
/// tar's snapshots NAME[.LEVEL].snar lie that belong to backups of the original; those of the current levels are taken
/// over. With --dry-run nothing is written or read to the end. Throws Error.
[[nodiscard]] std::vector<RescannedBackup> rescan_archive(Session& session, IStorage& storage,
                                                          const std::filesystem::path& directory,
                                                          const std::string& archive,
                                                          const std::filesystem::path& snapshots);

}  // namespace autoarchive::host
