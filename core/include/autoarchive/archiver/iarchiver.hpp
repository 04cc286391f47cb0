/// \file
/// The archiver service: what every provider can be asked for.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archiver_feature.hpp"
#include "autoarchive/archiver/backup_request.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/service/iservice.hpp"

namespace autoarchive {

/// Makes, keeps and removes backups. A call may block for as long as the job takes. One instance serves one call at a
/// time; different instances are independent. Every call throws only Error; a failed call has left the backups that
/// were there as they were. An unsupported type is always value_error with cause unsupported, before anything else is
/// looked at.
class AA_EXPORT IArchiver : public IService {
 public:
  ~IArchiver() override;

  [[nodiscard]] virtual std::set<BackupType> supported_backup_types() const = 0;
  /// All features, or those for one type. Throws value_error if the type is not supported.
  [[nodiscard]] virtual std::set<ArchiverFeature> supported_features(
      const std::optional<BackupType>& type = {}) const = 0;

  /// Creates a backup. Checks in this order: type (value_error), strength given but not supported for the type
  /// (runtime_error), nothing to back up (runtime_error), strength out of range (value_error).
  virtual BackupResult backup_files(const BackupRequest& request) = 0;
  /// Creates the wanted level, or the next in a row; then level + 1 is the highest that can be created. Checks as
  /// above, then the level's range 0..max_backup_level() (value_error). Throws not_implemented, before any check,
  /// without the feature.
  virtual BackupResult backup_files_incrementally(const BackupRequest& request) = 0;

  /// The highest level that can be created: 1 above the highest that has state, 0 if there is none. Throws
  /// not_implemented without the feature, os_error if the state can't be listed.
  [[nodiscard]] virtual int max_backup_level(std::string_view backup_id) const = 0;

  /// Brings state back that is lost or damaged, from what lies beside the backups in `storage`, as far as the chain
  /// there is this provider's own. Nothing to do is fine; a provider whose state can't be found there does nothing.
  /// REQUIRES: the archive's locks are held.
  virtual void recover_state(const BackupDefinition& definition, const IStorage& storage) = 0;

  /// Whether the file of this backup is there. Level none and 0 mean the same file.
  [[nodiscard]] virtual bool does_backup_exist(const BackupDefinition& definition, std::optional<int> level = {},
                                               std::string_view keeping_id = {}) const = 0;
  /// Whether a backup of this generation with a level of `from_level` or more is there. Throws not_implemented without
  /// Incremental.
  [[nodiscard]] virtual bool does_any_backup_level_exist(const BackupDefinition& definition, int from_level = 0,
                                                         std::string_view keeping_id = {}) const = 0;

  /// Renames one backup (and what lies beside it) to another generation. Throws value_error for an empty new id,
  /// file_exists if that is taken, file_not_found if there is no such backup.
  virtual void keep_backup(const BackupDefinition& definition, std::string_view keeping_id,
                           std::string_view new_keeping_id, std::optional<int> level = {}) = 0;
  /// Removes the backup without a level. Throws file_not_found if it is not there.
  virtual void remove_backup(const BackupDefinition& definition, std::string_view keeping_id = {}) = 0;
  /// Removes levels from `level` (none: max_backup_level()) upward until a gap, and their state. Afterwards
  /// max_backup_level() <= level, for the current generation. Nothing to remove is fine. Throws value_error for a
  /// negative level, not_implemented without Incremental.
  virtual void remove_backup_increments(const BackupDefinition& definition, std::optional<int> level = {},
                                        std::string_view keeping_id = {}) = 0;

  /// Archives that have state in the work_dir, each once, sorted. Empty without Incremental.
  [[nodiscard]] virtual std::vector<std::string> stored_backup_ids() const = 0;
  /// Removes the state of exactly this archive; backups are not touched. Nothing to remove is fine.
  virtual void purge_stored_backup_data(std::string_view backup_id) = 0;
};

}  // namespace autoarchive
