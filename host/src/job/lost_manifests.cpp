#include "job/lost_manifests.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "autoarchive/storage/local_storage.hpp"
#include "job/found_manifests.hpp"

namespace autoarchive::host {
namespace {

/// Which backups have lost theirs, and what is left of those.
class LostManifests {
 public:
  struct Lost {
    std::size_t entry;              ///< in the catalog
    std::string name;               ///< of the manifest
    const FoundManifest* manifest;  ///< the one in the state
    bool is_in_the_way = false;     ///< what has its name is damaged
  };

  LostManifests(const std::filesystem::path& state_dir, const std::filesystem::path& destination,
                const BackupCatalog& backups, const IStorage& storage) {
    std::set<std::string> unusable;
    const auto& entries = backups.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].name.keeping_id.empty() || entries[i].header || !entries[i].identity) continue;
      auto& lost = lost_.emplace_back(Lost{i, manifest_name(entries[i].file.name), nullptr});
      lost.is_in_the_way = storage.stat(lost.name).has_value();
      if (lost.is_in_the_way) unusable.insert(lost.name);
    }
    if (lost_.empty()) return;
    known_.emplace(destination, unusable, state_dir);
    for (auto& lost : lost_) lost.manifest = find(entries[lost.entry], lost.name);
    std::erase_if(lost_, [](const auto& lost) { return lost.manifest == nullptr; });
  }

  [[nodiscard]] const std::vector<Lost>& all() const noexcept { return lost_; }

 private:
  // Where it is for a file of another size, the archive is not what it was: rescan and verify tell of that.
  [[nodiscard]] const FoundManifest* find(const CatalogEntry& entry, const std::string& name) const {
    FoundBackup backup;
    backup.identity = *entry.identity;
    backup.bytes = entry.file.size;
    const auto* found = known_->find(backup, name);
    const bool is_its_own = found != nullptr && found->closing.archive_bytes == backup.bytes;
    return is_its_own && known_->unreadable(name).empty() && known_->backup_of(name).empty() ? found : nullptr;
  }

  std::optional<FoundManifests> known_;
  std::vector<Lost> lost_;
};

}  // namespace

std::vector<std::string> put_back_manifests(const std::filesystem::path& state_dir,
                                            const std::filesystem::path& destination, const BackupCatalog& backups,
                                            const IStorage& storage, ITransaction& transaction) {
  const LostManifests lost(state_dir, destination, backups, storage);
  std::vector<std::string> files;
  CommitPlan plan;
  for (const auto& one : lost.all()) {
    if (one.is_in_the_way) plan.steps.push_back({CommitStep::Action::retire, one.name, ""});
    const auto sink = transaction.put(one.name);
    copy(*one.manifest->file, *sink);
    files.push_back(backups.entries()[one.entry].file.name);
  }
  if (!files.empty()) transaction.commit(plan);
  return files;
}

ForeseenManifests foresee_manifests(const std::filesystem::path& state_dir, const std::filesystem::path& destination,
                                    const BackupCatalog& backups, const IStorage& storage) {
  const LostManifests lost(state_dir, destination, backups, storage);
  auto entries = backups.entries();
  std::map<std::string, std::filesystem::path> in_state;
  for (const auto& one : lost.all()) {
    auto& entry = entries[one.entry];
    entry.header = one.manifest->header;
    entry.closing = one.manifest->closing;
    entry.fault.clear();
    in_state.emplace(one.name, one.manifest->file->description());
  }
  return {BackupCatalog(std::move(entries)), std::move(in_state)};
}

}  // namespace autoarchive::host
