/// \file
/// What `ls` and `restore` read: a backup of an archive, or any archive file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// A chain of files, opened, from level 0 to the wanted one.
struct BackupSource {
  std::string description;  ///< for messages, e.g. "home@2"
  std::string archive;      ///< its name; empty: the source is a file that was named
  std::vector<ArchiveLevel> levels;
  std::optional<ManifestClosing> closing;  ///< of the last level's manifest, if it has one
  std::vector<std::string> remarks;        ///< what can't be checked or is not as it should be, a line each
  /// That of a file which is read without what it is based on: good to check the file, not to restore by. Else null.
  std::unique_ptr<ReadableFile> own_manifest;
  bool has_faults = false;          ///< a manifest is there that is damaged, or can't be read
  bool has_other_manifest = false;  ///< the one beside the file is that of another backup
  bool is_partial = false;          ///< what it is based on is not known, or not there
};

/// What becomes of a level that is missing, or can't be opened.
enum class Gaps : std::uint8_t {
  refused,  ///< Error(cause damaged) names it
  left,     ///< an empty file stands for it, and a remark names it
};

/// The files behind a target. A target with a "/" in it, or that names a file while no archive has that name and no
/// `destination` is given, is an archive file; a manifest beside it is used if it belongs to it, and so are the levels
/// that it is based on, if they are there. `destination` is that of an archive that no file defines.
[[nodiscard]] BackupSource open_source(Session& session, const Target& target,
                                       const std::optional<std::string>& destination, Gaps gaps = Gaps::refused);

/// Of a target that is the newest backup of an archive: missing_newest(); empty for others.
[[nodiscard]] std::string missing_newest_of(Session& session, const Target& target,
                                            const std::optional<std::string>& destination);

/// Tells the user of the source's remarks. They do not change the exit status.
void report_remarks(Session& session, const BackupSource& source);

/// The catalog of a configured archive, or of one whose destination is given.
struct ArchiveBackups {
  ArchiveConfig archive;
  std::unique_ptr<IStorage> storage;
  BackupCatalog catalog;
};
[[nodiscard]] ArchiveBackups read_backups(Session& session, const std::string& archive,
                                          const std::optional<std::string>& destination);

/// Tells that a backup without a manifest is not searched. The status that it leads to.
ExitStatus report_not_searched(Session& session, const std::string& archive, const CatalogEntry& entry);

/// What a command that reads works on.
struct ArchivesToRead {
  std::vector<std::string> names;
  ExitStatus status = ExitStatus::ok;  ///< not ok: files were left out, and told of
};
/// The archives that are named; with none, those of the configuration; and with none but a destination, those that
/// manifests or archive files in it say they are of.
[[nodiscard]] ArchivesToRead archives_to_read(Session& session, std::vector<std::string> named,
                                              const std::optional<std::string>& destination);

}  // namespace autoarchive::host
