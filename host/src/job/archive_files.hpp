/// \file
/// What an archive has in its destination, as the jobs of the host need it.
#pragma once

#include <string>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "job/keeping.hpp"

namespace autoarchive::host {

/// The catalog's files with what lies beside each of them.
[[nodiscard]] std::vector<KeptFile> kept_files(const IStorage& storage, const BackupCatalog& catalog);

/// The current generation's entry of a level; null if there is none.
[[nodiscard]] const CatalogEntry* current_level(const BackupCatalog& catalog, int level);

}  // namespace autoarchive::host
