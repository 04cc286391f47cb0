/// \file
/// What an archive has in its destination, as the jobs of the host need it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "job/keeping.hpp"

namespace autoarchive::host {

/// Why a backup must not go.
struct Hold {
  std::string reason;
  bool is_pin = false;  ///< by the user's will
  friend bool operator==(const Hold&, const Hold&) = default;
};

/// The catalog's files with what lies beside each of them, and why it must not go: `holds` gives the reason by backup
/// id. Whoever holds a backup holds its chain. Of files that are not ours only the one that is called `made`, the name
/// of a backup to come, with the levels above it: they have to make room, and never go.
[[nodiscard]] std::vector<KeptFile> kept_files(const IStorage& storage, const BackupCatalog& catalog,
                                               const std::map<std::string, Hold>& holds, const std::string& made = {});

/// Names of the destination that begin with the archive's and a dot, and belong to none of the files.
[[nodiscard]] std::set<std::string> foreign_names(const IStorage& storage, const std::string& archive,
                                                  const std::vector<KeptFile>& files);

/// Why an entry is foreign, for a message.
[[nodiscard]] std::string foreign_text(const CatalogEntry& entry);

/// The current generation's entry of a level, if it is ours; null if there is none.
[[nodiscard]] const CatalogEntry* current_level(const BackupCatalog& catalog, int level);

}  // namespace autoarchive::host
