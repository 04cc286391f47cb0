/// \file
/// What `ls` and `restore` read: a backup of an archive, or any archive file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "command_line.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// A chain of files, opened, from level 0 to the wanted one.
struct BackupSource {
  std::string description;  ///< for messages, e.g. "home@2"
  std::vector<ArchiveLevel> levels;
};

/// The files behind a target. A target with a "/" in it, or that names a file while no archive has that name, is an
/// archive file; a manifest beside it is used if it belongs to it. `destination` is that of an archive that no file
/// defines.
[[nodiscard]] BackupSource open_source(Session& session, const Target& target,
                                       const std::optional<std::string>& destination);

/// The catalog of a configured archive, or of one whose destination is given.
struct ArchiveBackups {
  ArchiveConfig archive;
  std::unique_ptr<IStorage> storage;
  BackupCatalog catalog;
};
[[nodiscard]] ArchiveBackups read_backups(Session& session, const std::string& archive,
                                          const std::optional<std::string>& destination);

}  // namespace autoarchive::host
