/// \file
/// Proofs that follow a backup: reading it back, and restoring it as a drill.
#pragma once

#include <string>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "session.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {

/// Reads a backup to its last byte, and what it is based on unless that was proven before; remembers it as verified.
/// Throws Error(value_error, cause damaged) that names the file and the first fault.
void verify_backup(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                   const BackupCatalog& backups, std::size_t target);

/// Whether the last restore is older than `verify.restore_every`. A last one in the future counts as none. Pure.
[[nodiscard]] bool is_drill_due(const VerifyRules& rules, const std::optional<DrillRecord>& last, SystemTime now);

/// Restores a backup with all that it is based on into nothing, each entry compared with what the manifest says, and
/// tells how long that took. Throws Error(value_error, cause damaged).
[[nodiscard]] DrillRecord drill(Session& session, const IStorage& storage, const BackupCatalog& backups,
                                std::size_t target);

}  // namespace autoarchive::host
