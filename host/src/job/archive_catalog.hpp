/// \file
/// The backups of an archive in a destination, with what files say of themselves where manifests don't.
#pragma once

#include <string>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// BackupCatalog::read(), and for what has no manifest of its own: the identity that the file says, or that it says
/// none. A manifest that is for a file of another size stays if the file says that it is that backup, or if it says
/// nothing because its beginning is lost, or because it is cut short: the file is damaged, and the manifest tells what
/// is lost. Reads the beginnings of such files
/// only. Throws Error(os_error) of the listing; a file that can't be read is one that says nothing.
[[nodiscard]] BackupCatalog read_catalog(Session& session, const IStorage& storage, const std::string& archive);

/// Adds what the file says of itself. False if it can't be asked: it is damaged at its beginning, or no archive.
bool add_identity(Session& session, const IStorage& storage, CatalogEntry& entry);

}  // namespace autoarchive::host
