/// \file
/// Manifests that the destination has lost, and the state still has.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::host {

/// Puts those of the current chain back, each where it is that of the file, and commits the transaction if there are
/// any: of which files they are. One that is there and may be whole is not replaced. Throws Error.
[[nodiscard]] std::vector<std::string> put_back_manifests(const std::filesystem::path& state_dir,
                                                          const std::filesystem::path& destination,
                                                          const BackupCatalog& backups, const IStorage& storage,
                                                          ITransaction& transaction);

/// What put_back_manifests() would lead to.
struct ForeseenManifests {
  BackupCatalog backups;
  std::map<std::string, std::filesystem::path> in_state;  ///< where those lie that are not in the destination, by name
};
/// Changes nothing. Throws Error.
[[nodiscard]] ForeseenManifests foresee_manifests(const std::filesystem::path& state_dir,
                                                  const std::filesystem::path& destination,
                                                  const BackupCatalog& backups, const IStorage& storage);

}  // namespace autoarchive::host
