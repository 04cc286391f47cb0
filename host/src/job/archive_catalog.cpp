#include "job/archive_catalog.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"

namespace autoarchive::host {
namespace {

bool is_about_one_file(const Error& error) {
  return error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported ||
         error.cause() == ErrorCause::unavailable || error.is_os_error();
}

/// The manifest that read() has refused, if it is that of the file all the same: by its word, or where nothing is left
/// of that, by what both are called.
void add_manifest(const IStorage& storage, bool is_askable, CatalogEntry& entry) {
  const auto name = manifest_name(entry.name.file_name());
  try {
    ManifestReader manifest(storage.open(name));
    auto closing = manifest.closing();
    const auto& header = manifest.header();
    const bool is_its_own = entry.identity ? header.backup_uuid == entry.identity->backup_uuid
                                           : header.archive == entry.name.archive &&
                                                 header.level == entry.name.level.value_or(0) &&
                                                 (!is_askable || entry.file.size < closing.archive_bytes);
    if (!is_its_own) return;
    entry.header = header;
    entry.closing = std::move(closing);
    entry.manifest = name;
  } catch (const Error& error) {
    if (!is_about_one_file(error)) throw;
  }
}

/// Whether it says that it is of another archive that there is. One whose name was changed in the configuration goes on
/// with what it had.
bool is_of_another(Session& session, const CatalogEntry& entry, const std::string& archive) {
  const auto of = entry.archive();
  return !of.empty() && of != archive && session.config().archives.contains(of);
}

}  // namespace

bool add_identity(Session& session, const IStorage& storage, CatalogEntry& entry) {
  try {
    const auto file = storage.open(entry.file.name);
    const auto recognised = session.providers().recognise(*file);
    if (recognised) entry.identity = recognised->reader->identity(*file);
    return recognised.has_value();
  } catch (const Error& error) {
    if (!is_about_one_file(error)) throw;
    return error.cause() == ErrorCause::unsupported;
  }
}

BackupCatalog read_catalog(Session& session, const IStorage& storage, const std::string& archive) {
  auto entries = BackupCatalog::read(storage, archive, session.providers().types()).entries();
  for (auto& entry : entries) {
    if (!entry.header) {
      const bool is_askable = add_identity(session, storage, entry);
      if (!entry.fault.empty()) add_manifest(storage, is_askable, entry);
    }
    const bool is_nobodys = !entry.header && !entry.identity && entry.fault.empty();
    entry.is_foreign = is_nobodys || is_of_another(session, entry, archive);
  }
  return BackupCatalog(std::move(entries));
}

}  // namespace autoarchive::host
