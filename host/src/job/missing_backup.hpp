/// \file
/// Whether the newest backup of an archive is still there. What is left may be whole, and nothing of it would tell.
#pragma once

#include <string>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "config/config.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// What is known of a newest backup that is gone, and what to do; empty: nothing says that it is. A file says it that
/// is called like a newer one and can't be read. A manifest without its archive says it, if it is newer than all
/// backups and no commit is under way; and so does the record of the last run, if this is the destination of then, its
/// backup is not here, and all that is here is older; not with `overwrite_at_start`, which removes it itself. Neither
/// does after `aa remove`. `backups` are those of `storage`. Throws Error(os_error).
[[nodiscard]] std::string missing_newest(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                                         const BackupCatalog& backups);

}  // namespace autoarchive::host
