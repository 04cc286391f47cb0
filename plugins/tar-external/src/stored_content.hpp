/// \file
/// Whether a file is what the parent level holds of it, where names and stats can't tell.
#pragma once

#include "autoarchive/archiver/backup_job.hpp"

namespace autoarchive::tar_external {

/// Reads the file and compares digest and attributes. True: nothing has to be stored, and `item.entry` is the stat
/// under which it was read. Whatever goes wrong is a "no": tar will meet it. REQUIRES: `item` is a regular file. Throws
/// Error(cause cancelled).
[[nodiscard]] bool is_as_stored(WalkItem& item, const ManifestEntry& parent, const BackupJob& job);

}  // namespace autoarchive::tar_external
