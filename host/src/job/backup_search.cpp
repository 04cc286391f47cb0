#include "job/backup_search.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
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

void look_at(Session& session, const IStorage& storage, const StoredFile& stored, FoundFiles& found) {
  const auto leave = [&](std::string reason, const char* problem) {
    found.others.push_back({stored.name, std::move(reason), problem});
  };
  try {
    const auto file = storage.open(stored.name);
    const auto recognised = session.providers().recognise(*file);
    if (!recognised) return leave("is no archive", "");
    const auto identity = recognised->reader->identity(*file);
    const auto type = type_of(session, recognised->format);
    if (!identity || !type) return leave("does not say which backup it is: it is not one of ours", "");
    if (!is_archive_name(identity->archive))
      return leave(fmt::format("says it is a backup of {}, which is no name of an archive", quote(identity->archive)),
                   "");
    found.backups.push_back({stored.name, *identity, *type, stored.size,
                             identity->started == SystemTime() ? stored.modified : identity->started});
  } catch (const Error& error) {  // one file that can't be read does not hide the others
    const bool is_damage = error.cause() == ErrorCause::damaged;
    const bool is_reader = error.cause() == ErrorCause::unsupported || error.cause() == ErrorCause::unavailable;
    if (!is_damage && !is_reader && !error.is_os_error()) throw;
    leave(error.message(), is_damage ? "archive.damaged" : error.is_os_error() ? "archive.unproven" : "");
  }
}

}  // namespace

FoundFiles look_for_backups(Session& session, const IStorage& storage) {
  FoundFiles found;
  for (const auto& stored : storage.list("")) {
    if (!is_sidecar(stored.name)) look_at(session, storage, stored, found);
  }
  return found;
}

}  // namespace autoarchive::host
