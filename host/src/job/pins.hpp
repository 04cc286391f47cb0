/// \file
/// Backups that never go by themselves. Pins lie in the destination, `.NAME.pins`, a backup id a line, so that they
/// outlive the state and move with the backups.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "config/config.hpp"
#include "job/archive_files.hpp"

namespace autoarchive::host {

/// Ids of pinned backups. Throws Error(cause damaged) if the file is not what was written: without it nothing may go.
[[nodiscard]] std::set<std::string> read_pins(const IStorage& storage, const std::string& archive);
/// Puts the file into a transaction; the caller commits.
void put_pins(ITransaction& transaction, const std::string& archive, const std::set<std::string>& pins);

/// Why which backups must not go, by id: pinned, or of the newest chain that `verified` has, or that `unread` has: what
/// was verified once and could not be read since may be whole, and may not.
[[nodiscard]] std::map<std::string, Hold> holds(const BackupCatalog& catalog, const std::set<std::string>& pins,
                                                const std::set<std::string>& verified,
                                                const std::set<std::string>& unread = {});
/// The same from what the archive's destination and the state say.
[[nodiscard]] std::map<std::string, Hold> read_holds(const std::filesystem::path& state_dir,
                                                     const ArchiveConfig& archive, const IStorage& storage,
                                                     const BackupCatalog& catalog);

}  // namespace autoarchive::host
