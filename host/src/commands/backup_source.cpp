#include "commands/backup_source.hpp"

#include <filesystem>
#include <utility>

#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::host {
namespace {

bool is_archive_file(Session& session, const Target& target) {
  if (target.archive.find('/') != std::string::npos) return true;
  std::error_code ignored;
  return std::filesystem::is_regular_file(target.archive, ignored) &&
         !session.config().archives.contains(target.archive);
}

BackupSource open_file(const Target& target) {
  BackupSource source{target.archive, {}};
  ArchiveLevel level;
  level.file = open_local_file(target.archive);
  source.levels.push_back(std::move(level));
  return source;
}

std::unique_ptr<ReadableFile> open_manifest(const IStorage& storage, const CatalogEntry& entry) {
  return entry.manifest.empty() ? nullptr : storage.open(entry.manifest);
}

}  // namespace

ArchiveBackups read_backups(Session& session, const std::string& archive,
                            const std::optional<std::string>& destination) {
  ArchiveOverrides overrides;
  overrides.destination = destination;
  auto config = session.archive(archive, overrides);
  auto storage = std::make_unique<LocalStorage>(config.destination);
  auto catalog = BackupCatalog::read(*storage, archive, session.providers().types());
  return {std::move(config), std::move(storage), std::move(catalog)};
}

BackupSource open_source(Session& session, const Target& target, const std::optional<std::string>& destination) {
  if (is_archive_file(session, target)) return open_file(target);
  const auto backups = read_backups(session, target.archive, destination);
  const auto wanted = backups.catalog.resolve(target.selector);
  BackupSource source{target.selector.empty() ? target.archive : target.archive + "@" + target.selector, {}};
  for (const auto index : backups.catalog.chain_to(wanted)) {
    const auto& entry = backups.catalog.entries()[index];
    ArchiveLevel level;
    level.file = backups.storage->open(entry.file.name);
    level.manifest = open_manifest(*backups.storage, entry);
    source.levels.push_back(std::move(level));
  }
  return source;
}

}  // namespace autoarchive::host
