/// \file
/// Backups of the original AutoArchive and of GNU tar by hand. They do not say which backup they are; their names do,
/// where they lie in the destination of a configured archive: NAME[.LEVEL][.KEEPID].EXT. Pure, but for fingerprint().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "config/config.hpp"
#include "job/found_backups.hpp"

namespace autoarchive::host {

/// An archive file that says nothing of itself.
struct UnnamedFile {
  std::string file;
  BackupType type;
  std::uint64_t bytes = 0;
  SystemTime modified{};
  std::string fingerprint;
  std::string reason{};                    ///< why nothing is done with it if it is no backup of an archive
  std::optional<ManifestHeader> beside{};  ///< of the manifest beside it, whatever that is of
};

/// The same for the same content, whatever the file is called and wherever it lies: of its size, its beginning and its
/// end. With its time and its level, as increments without a change are alike, it becomes the backup's id. Throws
/// Error(os_error).
[[nodiscard]] std::string fingerprint(const ReadableFile& file);

/// Those of the files that are backups of `archive` by their names. Their chains follow from the original's rules: a
/// level is based on the one below it in its generation, or else in the next younger one that has it, as a generation
/// is kept without the lower levels that stay in use. Where a manifest beside a file was made for it, that one says it,
/// and a time that the file has got since counts for nothing. What is older than what it would be based on has a
/// `chain_fault`: the original leaves higher levels behind when it begins again with a lower one.
[[nodiscard]] std::vector<FoundBackup> name_originals(const ArchiveConfig& archive,
                                                      const std::vector<UnnamedFile>& files);

}  // namespace autoarchive::host
