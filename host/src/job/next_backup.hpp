/// \file
/// Level, provider and place in the chain of an archive's next backup: what `create` makes, and `explain`, `status` and
/// `--dry-run` foretell.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/archiver/backup_request.hpp"
#include "job/levels.hpp"
#include "session.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {

/// What is asked for beside the rules.
struct NextBackupWish {
  bool full = false;
  std::optional<int> level;
  bool next = false;       ///< in a row, whatever the rules say
  std::string lost_state;  ///< why the chain can't be continued, if the provider has said so already
  SystemTime now{};
};

struct NextBackup {
  LevelChoice choice;
  std::string provider;
  BackupIdentity identity;
  std::string parent_manifest;  ///< file name; empty for a level 0
  /// Of a forecast: where that lies, if the destination has lost it and the state has not; else empty.
  std::filesystem::path parent_in_state;
  int restarts = 0;  ///< of the chain so far
};

/// Chooses the provider first and then the level. `locked_storage`, if the archive's locks are held: the provider may
/// bring back state that is lost. Null: a forecast, which foresees what a run brings back, and changes nothing. Throws
/// Error if no provider can do it, or the wanted level can't be made.
[[nodiscard]] NextBackup next_backup(Session& session, const ArchiveConfig& archive, const BackupCatalog& backups,
                                     const ArchiveRecord& record, const NextBackupWish& wish,
                                     const IStorage* locked_storage);

/// The provider for this archive's next backup. `incremental` makes the feature required; a strength makes it required,
/// too. Throws Error(value_error, cause unsupported) for a type or a required feature that no plugin declares.
[[nodiscard]] RouteRequest route_request(Providers& providers, const ArchiveConfig& archive,
                                         const std::string& chain_owner);

/// The key under which an archive's preferred features stand.
inline constexpr std::string_view kPreferredKey = "features.preferred";
/// Which of the preferred features no plugin declares, with the nearest; empty: none. They refuse nobody.
[[nodiscard]] std::string fault_of_preferences(const Providers& providers, const ArchiveConfig& archive);
/// Tells that as a warning, with its place.
void warn_of_preferences(Session& session, const ArchiveConfig& archive);

/// The definition that providers get.
[[nodiscard]] BackupDefinition definition_of(const ArchiveConfig& archive, const BackupType& type);

/// What a committed backup of an incremental archive changes of its record. Pure.
void add_level(ArchiveRecord& record, const NextBackup& made, const std::string& chain, SystemTime began);

/// How often the chain has begun again with a low level, as far as its backups are still there: for a record that is
/// lost. Pure.
[[nodiscard]] int visible_restarts(const BackupCatalog& backups, const std::string& chain);

}  // namespace autoarchive::host
