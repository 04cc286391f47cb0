/// \file
/// What all archivers have in common: checks, names, the commit, the manifest, keeping and removing. A provider adds
/// how its archive is written.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/archiver/iarchiver.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

/// Derive from it, say what you support, and write the archive's bytes in write_archive(); everything else is here.
/// Not thread-safe.
class AA_EXPORT TarArchiverProviderBase : public IArchiver {
 public:
  ~TarArchiverProviderBase() override;

  [[nodiscard]] std::set<BackupType> supported_backup_types() const override;
  [[nodiscard]] std::set<ArchiverFeature> supported_features(const std::optional<BackupType>& type) const override;
  BackupResult backup_files(const BackupRequest& request) override;
  BackupResult backup_files_incrementally(const BackupRequest& request) override;
  [[nodiscard]] int max_backup_level(std::string_view backup_id) const override;
  void recover_state(const BackupDefinition& definition, const IStorage& storage) override;
  [[nodiscard]] bool does_backup_exist(const BackupDefinition& definition, std::optional<int> level,
                                       std::string_view keeping_id) const override;
  [[nodiscard]] bool does_any_backup_level_exist(const BackupDefinition& definition, int from_level,
                                                 std::string_view keeping_id) const override;
  void keep_backup(const BackupDefinition& definition, std::string_view keeping_id, std::string_view new_keeping_id,
                   std::optional<int> level) override;
  void remove_backup(const BackupDefinition& definition, std::string_view keeping_id) override;
  void remove_backup_increments(const BackupDefinition& definition, std::optional<int> level,
                                std::string_view keeping_id) override;
  [[nodiscard]] std::vector<std::string> stored_backup_ids() const override;
  void purge_stored_backup_data(std::string_view backup_id) override;

 protected:
  /// What a provider with the feature Incremental keeps for each level. A plain value.
  struct LevelState {
    /// The state of level n is the files work_dir/snapshots/NAME[.n]SUFFIX for each of these, of which the first
    /// decides whether there is a level, e.g. {".snar", ".snar.id"}.
    std::vector<std::string> suffixes;
    /// One of them, under which the base class keeps a copy of the level's manifest; empty: it keeps none.
    std::string manifest_suffix;
  };

  /// `identification` answers what is supported, and must outlive the provider. With state suffixes the directory is
  /// made if missing (Error(os_error) if work_dir is missing).
  TarArchiverProviderBase(const IArchiverProviderIdentification& identification, const ProviderArguments& arguments,
                          LevelState level_state = {});

  [[nodiscard]] const std::filesystem::path& work_dir() const noexcept { return work_dir_; }
  [[nodiscard]] std::filesystem::path snapshots_dir() const { return work_dir_ / "snapshots"; }
  /// Name of a state file, e.g. "home.snar", "home.2.snar".
  [[nodiscard]] static std::string state_name(std::string_view backup_id, int level, std::string_view suffix);

  /// Writes the archive through `job`. All has been checked and the transaction is open. Throws Error to give up:
  /// nothing is committed then. Problems with single files are reported, not thrown.
  virtual void write_archive(BackupJob& job) = 0;

 private:
  struct StoredState {
    std::filesystem::path file;
    int level = 0;
    bool primary = false;  ///< of the first suffix, which decides whether there is a level
  };
  [[nodiscard]] std::vector<StoredState> stored_states(std::string_view backup_id) const;
  void check_state(std::string_view backup_id, int level, bool incremental) const;
  void require_incremental(const char* call) const;
  BackupResult run(const BackupRequest& request, int level, bool incremental);

  const IArchiverProviderIdentification& identification_;
  std::filesystem::path work_dir_;
  LevelState level_state_;
};

}  // namespace autoarchive
