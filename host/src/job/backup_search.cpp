#include "job/backup_search.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/original_backups.hpp"
#include "job/restore_text.hpp"

namespace autoarchive::host {
namespace {

/// Files of ours that are no archives.
bool is_sidecar(std::string_view name) {
  return name.starts_with('.') || name.ends_with(manifest_name("")) || name.ends_with(sha256_name("")) ||
         name.ends_with(kPartialSuffix) || name.ends_with(kOldSuffix) || name == kRestoreTextName;
}

std::optional<BackupType> type_of(Session& session, const std::string& format) {
  for (auto& type : session.providers().types()) {
    if (type.extension == format) return std::move(type);
  }
  return std::nullopt;
}

/// None if it does not say it, or what it says first is not understood; `reason` is that, then.
std::optional<ArchiveIdentity> identity_of(IArchiveReader& reader, const ReadableFile& file, std::string& reason) {
  try {
    return reader.identity(file);
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::unsupported) throw;
    reason = error.message();
    return std::nullopt;
  }
}

/// Of the manifest beside a file, if there is one that can be read.
std::optional<ManifestHeader> header_beside(const IStorage& storage, const std::string& file) {
  const auto name = manifest_name(file);
  if (!storage.stat(name)) return std::nullopt;
  try {
    return ManifestReader(storage.open(name)).header();
  } catch (const Error& error) {  // whoever looks for manifests tells of it
    if (error.cause() != ErrorCause::damaged && error.cause() != ErrorCause::unsupported && !error.is_os_error()) throw;
    return std::nullopt;
  }
}

/// A file whose beginning is lost, and beside it a manifest that is of what it is called.
std::optional<FoundBackup> backup_by_name(Session& session, const IStorage& storage, const StoredFile& stored,
                                          std::string damage) {
  const auto header = header_beside(storage, stored.name);
  const auto type = header && is_archive_name(header->archive) ? type_of(session, header->type) : std::nullopt;
  if (!type) return std::nullopt;
  const auto name = parse_backup_name(stored.name, header->archive, std::array{*type});
  if (!name || name->level.value_or(0) != header->level) return std::nullopt;
  FoundBackup found{stored.name, {}, *type, stored.size, header->started};
  found.identity.archive = header->archive;
  found.identity.level = header->level;
  found.identity.backup_uuid = header->backup_uuid;
  found.identity.chain_uuid = header->chain_uuid;
  found.identity.parent_uuid = header->parent_uuid;
  found.identity.provider = header->provider;
  found.identity.started = header->started;
  found.identity.root = header->root;
  found.damage = std::move(damage);
  return found;
}

void look_at(Session& session, const IStorage& storage, const StoredFile& stored, FoundFiles& found,
             std::vector<UnnamedFile>& unnamed) {
  const auto leave = [&](std::string reason, const char* problem) {
    found.others.push_back({stored.name, std::move(reason), problem});
  };
  const auto leave_or_name = [&](const std::string& damage, const char* problem) {
    if (auto backup = backup_by_name(session, storage, stored, damage)) {
      found.backups.push_back(std::move(*backup));
    } else {
      leave(damage, problem);
    }
  };
  try {
    const auto file = storage.open(stored.name);
    const auto recognised = session.providers().recognise(*file);
    if (!recognised) return leave_or_name("is no archive", "");
    const auto type = type_of(session, recognised->format);
    if (!type) return leave("has a type that no plugin makes", "");
    std::string reason = "does not say which backup it is: it is not one of ours";
    const auto identity = identity_of(*recognised->reader, *file, reason);
    if (!identity) {
      unnamed.push_back({stored.name, *type, stored.size, stored.modified, fingerprint(*file), reason,
                         header_beside(storage, stored.name)});
      return;
    }
    if (!is_archive_name(identity->archive))
      return leave(fmt::format("says it is a backup of {}, which is no name of an archive", quote(identity->archive)),
                   "");
    found.backups.push_back({stored.name, *identity, *type, stored.size,
                             identity->started == SystemTime() ? stored.modified : identity->started});
  } catch (const Error& error) {  // one file that can't be read does not hide the others
    const bool is_damage = error.cause() == ErrorCause::damaged;
    const bool is_reader = error.cause() == ErrorCause::unsupported || error.cause() == ErrorCause::unavailable;
    if (!is_damage && !is_reader && !error.is_os_error()) throw;
    if (is_damage && !error.is_os_error()) return leave_or_name(error.message(), "archive.damaged");
    // What can't be read now may be whole.
    leave(error.message(), error.is_os_error() ? "archive.unproven" : "");
  }
}

void take_originals(Session& session, const std::filesystem::path& directory, std::vector<UnnamedFile>& unnamed,
                    FoundFiles& found) {
  std::error_code error;
  for (const auto& [name, archive] : session.config().archives) {
    if (!std::filesystem::equivalent(archive.destination, directory, error)) continue;
    for (auto& backup : name_originals(archive, unnamed)) {
      std::erase_if(unnamed, [&](const auto& file) { return file.file == backup.file; });
      found.backups.push_back(std::move(backup));
    }
  }
  for (auto& file : unnamed) found.others.push_back({std::move(file.file), std::move(file.reason), ""});
}

}  // namespace

FoundFiles look_for_backups(Session& session, const IStorage& storage, const std::filesystem::path& directory) {
  FoundFiles found;
  std::vector<UnnamedFile> unnamed;
  for (const auto& stored : storage.list("")) {
    if (!is_sidecar(stored.name)) look_at(session, storage, stored, found, unnamed);
  }
  take_originals(session, directory, unnamed, found);
  return found;
}

}  // namespace autoarchive::host
