/// \file
/// How to restore an archive without this program: what RESTORE.txt and `restore --script` say. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive::host {

inline constexpr std::string_view kRestoreTextName = "RESTORE.txt";

/// One file of a chain, in the order of restoring.
struct RestoreStep {
  std::string file;
  std::vector<std::string> removed{};  ///< what it takes away of the level before
  bool is_known = true;                ///< `removed` is all
};

/// The chain of an entry; empty if it is broken.
[[nodiscard]] std::vector<RestoreStep> restore_steps(const BackupCatalog& catalog, std::size_t point);
/// That of the newest point in time that can be restored; empty if there is none.
[[nodiscard]] std::vector<RestoreStep> restore_steps(const BackupCatalog& catalog);

/// The introduction of RESTORE.txt with the section of one archive: which files in which order, how to check them, the
/// exact commands. No steps: the archive has no section.
[[nodiscard]] std::string restore_text(std::string_view archive, const std::vector<RestoreStep>& steps);

/// The catalog as it is when the steps have been carried out: files go, and get other names.
[[nodiscard]] BackupCatalog catalog_after(const BackupCatalog& catalog, const CommitPlan& plan);

/// Adds to the plan the section of the newest point in time that is left when its steps have been carried out.
void renew_restore_text(const std::string& archive, const BackupCatalog& catalog, CommitPlan& plan);

/// A shell script that restores these files (paths) into the directory `to`, which it makes.
[[nodiscard]] std::string restore_script(const std::vector<std::string>& files, const std::string& to);

}  // namespace autoarchive::host
