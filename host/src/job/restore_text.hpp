/// \file
/// How to restore an archive without this program: what RESTORE.txt and `restore --script` say. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/archiver/backup_name.hpp"

namespace autoarchive::host {

inline constexpr std::string_view kRestoreTextName = "RESTORE.txt";

/// The introduction of RESTORE.txt with the section of one archive: which files in which order, how to check them, the
/// exact commands. `files` are the names of the chain from level 0 on; none: the archive has no section.
[[nodiscard]] std::string restore_text(std::string_view archive, const std::vector<std::string>& files);

/// The chain that a new backup will end, with the names that its files have then; empty if it is broken.
[[nodiscard]] std::vector<std::string> chain_with(const BackupCatalog& catalog, const BackupName& made);

/// A shell script that restores these files (paths) into the directory `to`, which it makes.
[[nodiscard]] std::string restore_script(const std::vector<std::string>& files, const std::string& to);

}  // namespace autoarchive::host
