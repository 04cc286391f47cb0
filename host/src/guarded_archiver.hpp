/// \file
/// An archiver behind the boundary of ProviderHealth.
#pragma once

#include <memory>
#include <string>

#include "autoarchive/archiver/iarchiver.hpp"
#include "provider_health.hpp"

namespace autoarchive::host {

/// Passes every call on.
class GuardedArchiver final : public IArchiver {
 public:
  /// `health` must outlive it.
  GuardedArchiver(std::string provider_id, std::shared_ptr<IArchiver> archiver, ProviderHealth& health);

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

 private:
  template <class Call>
  auto guarded(const Call& call) const;

  std::string provider_id_;
  std::shared_ptr<IArchiver> archiver_;
  ProviderHealth& health_;
};

}  // namespace autoarchive::host
