#include "guarded_archiver.hpp"

#include <utility>

namespace autoarchive::host {

GuardedArchiver::GuardedArchiver(std::string provider_id, std::shared_ptr<IArchiver> archiver, ProviderHealth& health)
    : provider_id_(std::move(provider_id)), archiver_(std::move(archiver)), health_(health) {}

template <class Call>
auto GuardedArchiver::guarded(const Call& call) const {
  return health_.guarded(provider_id_, call);
}

std::set<BackupType> GuardedArchiver::supported_backup_types() const {
  return guarded([&] { return archiver_->supported_backup_types(); });
}

std::set<ArchiverFeature> GuardedArchiver::supported_features(const std::optional<BackupType>& type) const {
  return guarded([&] { return archiver_->supported_features(type); });
}

BackupResult GuardedArchiver::backup_files(const BackupRequest& request) {
  auto result = guarded([&] { return archiver_->backup_files(request); });
  health_.succeeded(provider_id_);
  return result;
}

BackupResult GuardedArchiver::backup_files_incrementally(const BackupRequest& request) {
  auto result = guarded([&] { return archiver_->backup_files_incrementally(request); });
  health_.succeeded(provider_id_);
  return result;
}

int GuardedArchiver::max_backup_level(std::string_view backup_id) const {
  return guarded([&] { return archiver_->max_backup_level(backup_id); });
}

void GuardedArchiver::recover_state(const BackupDefinition& definition, const IStorage& storage) {
  guarded([&] { archiver_->recover_state(definition, storage); });
}

bool GuardedArchiver::does_backup_exist(const BackupDefinition& definition, std::optional<int> level,
                                        std::string_view keeping_id) const {
  return guarded([&] { return archiver_->does_backup_exist(definition, level, keeping_id); });
}

bool GuardedArchiver::does_any_backup_level_exist(const BackupDefinition& definition, int from_level,
                                                  std::string_view keeping_id) const {
  return guarded([&] { return archiver_->does_any_backup_level_exist(definition, from_level, keeping_id); });
}

void GuardedArchiver::keep_backup(const BackupDefinition& definition, std::string_view keeping_id,
                                  std::string_view new_keeping_id, std::optional<int> level) {
  guarded([&] { archiver_->keep_backup(definition, keeping_id, new_keeping_id, level); });
}

void GuardedArchiver::remove_backup(const BackupDefinition& definition, std::string_view keeping_id) {
  guarded([&] { archiver_->remove_backup(definition, keeping_id); });
}

void GuardedArchiver::remove_backup_increments(const BackupDefinition& definition, std::optional<int> level,
                                               std::string_view keeping_id) {
  guarded([&] { archiver_->remove_backup_increments(definition, level, keeping_id); });
}

std::vector<std::string> GuardedArchiver::stored_backup_ids() const {
  return guarded([&] { return archiver_->stored_backup_ids(); });
}

void GuardedArchiver::purge_stored_backup_data(std::string_view backup_id) {
  guarded([&] { archiver_->purge_stored_backup_data(backup_id); });
}

}  // namespace autoarchive::host
