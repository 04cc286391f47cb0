#include "job/lost_manifests.hpp"

#include <set>

#include "autoarchive/storage/local_storage.hpp"
#include "job/found_manifests.hpp"

namespace autoarchive::host {

std::vector<std::string> put_back_manifests(const std::filesystem::path& state_dir,
                                            const std::filesystem::path& destination, const BackupCatalog& backups,
                                            const IStorage& storage, ITransaction& transaction) {
  std::vector<const CatalogEntry*> lacking;
  std::set<std::string> unusable;
  for (const auto& entry : backups.entries()) {
    if (!entry.name.keeping_id.empty() || entry.header || !entry.identity) continue;
    lacking.push_back(&entry);
    if (auto name = manifest_name(entry.file.name); storage.stat(name)) unusable.insert(std::move(name));
  }
  if (lacking.empty()) return {};
  const FoundManifests known(destination, unusable, state_dir);
  std::vector<std::string> files;
  CommitPlan plan;
  for (const auto* entry : lacking) {
    const auto name = manifest_name(entry->file.name);
    FoundBackup backup;
    backup.identity = *entry->identity;
    backup.bytes = entry->file.size;
    const auto* found = known.find(backup, name);
    if (found == nullptr || !known.unreadable(name).empty() || !known.backup_of(name).empty()) continue;
    if (unusable.contains(name)) plan.steps.push_back({CommitStep::Action::retire, name, ""});
    const auto sink = transaction.put(name);
    copy(*found->file, *sink);
    files.push_back(entry->file.name);
  }
  if (!files.empty()) transaction.commit(plan);
  return files;
}

}  // namespace autoarchive::host
