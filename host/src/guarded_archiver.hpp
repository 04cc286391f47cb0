/// \file
/// The boundary behind which an archiver's code runs.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "autoarchive/archiver/iarchiver.hpp"

namespace autoarchive::host {

/// How often providers have broken their contract in this run. Not thread-safe.
class ProviderHealth {
 public:
  /// So many times in a row, and a provider is not asked any more.
  static constexpr int kFaultyAfter = 3;

  void failed(const std::string& provider_id, const std::string& text);
  void succeeded(const std::string& provider_id);
  /// Why it is not asked any more, e.g. "AA-P704 it has failed 3 times in a row, last with 'no memory'"; empty: it is.
  [[nodiscard]] std::string fault(const std::string& provider_id) const;

 private:
  struct Failures {
    int in_a_row = 0;
    std::string last;
  };
  std::map<std::string, Failures> failures_;
};

/// Passes every call on. What is thrown that is no Error becomes one: its text is copied here, and it is counted.
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
