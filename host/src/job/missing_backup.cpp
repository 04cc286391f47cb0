#include "job/missing_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "job/archive_catalog.hpp"
#include "job/destination_record.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

/// A manifest whose archive is not there.
struct Orphan {
  std::string manifest;
  std::string file;  ///< what the archive would be called
  ManifestHeader header;
};

/// The newest that is ours; null if there is none.
const CatalogEntry* newest_of(const BackupCatalog& backups) {
  for (const auto index : backups.newest_first()) {
    if (!backups.entries()[index].is_foreign) return &backups.entries()[index];
  }
  return nullptr;
}

bool has_backup(const BackupCatalog& backups, const std::string& uuid) {
  return std::any_of(backups.entries().begin(), backups.entries().end(),
                     [&](const auto& entry) { return entry.backup_uuid() == uuid; });
}

bool is_older(const CatalogEntry* newest, const ManifestHeader& header) {
  return newest == nullptr || newest->time() < header.started || newest->backup_uuid() == header.parent_uuid;
}

/// Of the manifest of this name; none if its archive is there, or it can't be read: whose it is, is not known then.
std::optional<Orphan> orphan(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                             const std::string& manifest) {
  const auto suffix = manifest_name("");
  if (!manifest.ends_with(suffix)) return std::nullopt;
  Orphan orphan{manifest, manifest.substr(0, manifest.size() - suffix.size()), {}};
  if (!parse_backup_name(orphan.file, archive.name, session.providers().types()) || storage.stat(orphan.file))
    return std::nullopt;
  try {
    orphan.header = ManifestReader(storage.open(manifest)).header();
  } catch (const Error&) {  // it says nothing
    return std::nullopt;
  }
  const bool is_anothers =
      orphan.header.archive != archive.name && session.config().archives.contains(orphan.header.archive);
  return is_anothers ? std::nullopt : std::optional(orphan);
}

/// Who commits moves archives and manifests one after the other, and has a journal; readers are not locked out, and
/// what was seen may be of two moments.
bool is_commit(const IStorage& storage, const std::string& archive, const Orphan& orphan) {
  return storage.stat("." + archive + ".journal") || storage.stat(orphan.file) || !storage.stat(orphan.manifest);
}

std::string missing_archive(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                            const BackupCatalog& backups) {
  const auto* newest = newest_of(backups);
  std::optional<Orphan> lost;
  for (const auto& file : storage.list(archive.name + ".")) {
    auto found = orphan(session, archive, storage, file.name);
    if (!found || has_backup(backups, found->header.backup_uuid) || !is_older(newest, found->header)) continue;
    if (!lost || lost->header.started < found->header.started) lost = std::move(found);
  }
  if (!lost || is_commit(storage, archive.name, *lost)) return {};
  return fmt::format(
      "the newest backup, level {} of {}, is not in {}: there is its manifest {}, but no {}. Put that file back from a "
      "copy; if it is gone for good, make a new backup, or remove the manifest",
      lost->header.level, format_rfc3339(lost->header.started), quote(storage.description()), quote(lost->manifest),
      quote(lost->file));
}

/// Whether a backup was made before that run: by its time, or because the record has it, whatever the clock was.
bool was_before(const CatalogEntry& entry, const ArchiveRecord& record) {
  const auto uuid = entry.backup_uuid();
  const bool is_remembered = !uuid.empty() && std::any_of(record.runs.begin(), record.runs.end(),
                                                          [&](const auto& run) { return run.backup == uuid; });
  return is_remembered || entry.time() < record.last_success->began;
}

std::string missing_run(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                        const BackupCatalog& backups) {
  const auto& state_dir = session.config().state_dir;
  const auto record = read_archive_record(state_dir, archive.name).record;
  if (archive.overwrite_at_start || !record.last_success || record.last_success->backup.empty()) return {};
  const auto& run = *record.last_success;
  const auto marker = remembered_marker(state_dir, archive.name, archive.destination);
  if (!marker || *marker != marker_of(storage)) return {};
  const auto* newest = newest_of(backups);
  if (has_backup(backups, run.backup) || (newest != nullptr && !was_before(*newest, record))) return {};
  // What a commit has left half done the next run finishes; and one may have come to its end since the backups were
  // looked at.
  if (storage.stat("." + archive.name + ".journal") ||
      has_backup(read_catalog(session, storage, archive.name), run.backup))
    return {};
  return fmt::format(
      "the newest backup, level {} of {} (backup {}), is not in {}: {}. Put it back from a copy, or make a new backup",
      run.level, format_rfc3339(run.began), escaped(run.backup), quote(storage.description()),
      newest == nullptr ? "there is none at all"
                        : fmt::format("the newest that is there is {} of {}", quote(newest->file.name),
                                      format_rfc3339(newest->time())));
}

/// A file of which nothing can be read may be the newest backup if it has the name of a higher level and came later.
std::string unreadable_newest(Session& session, const IStorage& storage, const BackupCatalog& backups) {
  const auto* newest = newest_of(backups);
  for (auto other : backups.entries()) {
    const bool is_nobodys = other.is_foreign && other.archive().empty();
    if (newest == nullptr || !is_nobodys || other.name.keeping_id != newest->name.keeping_id ||
        other.level() <= newest->level() || other.file.modified < newest->file.modified)
      continue;
    if (add_identity(session, storage, other)) continue;
    return fmt::format(
        "the newest backup may be {}, of which nothing can be read, as where its beginning is damaged; the newest that "
        "can is {} of {}. Put the file back from a copy, make a new backup, or see what aa restore {} --salvage brings",
        quote(other.file.name), quote(newest->file.name), format_rfc3339(newest->time()),
        quote(storage.description() + "/" + other.file.name));
  }
  return {};
}

}  // namespace

std::string missing_newest(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                           const BackupCatalog& backups) {
  auto text = unreadable_newest(session, storage, backups);
  if (text.empty()) text = missing_archive(session, archive, storage, backups);
  return text.empty() ? missing_run(session, archive, storage, backups) : text;
}

}  // namespace autoarchive::host
