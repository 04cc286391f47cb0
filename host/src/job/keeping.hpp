/// \file
/// Which older backups move to which generation when a new one takes its name. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive::host {

/// A backup file of the archive that lies in the destination, with what lies beside it.
struct KeptFile {
  BackupName name;
  bool has_manifest = false;
  bool has_sha256 = false;
  std::string sha256;  ///< 64 hexadecimal digits, if known: the ".sha256" of a kept file is written anew
};

/// The plan for a new backup `made` (its keeping id is empty): plain levels at or above its level become generation
/// "aa", "aa" becomes "ab" …, as far as there is no hole; generation number `generations` falls off. Level none is
/// level 0, and every type counts, so that a change of type leaves no second plain chain. Nothing moves if no such
/// plain level is there. With 0 generations the plain ones fall off.
[[nodiscard]] CommitPlan plan_generations(const std::vector<KeptFile>& files, const BackupName& made, int generations);

}  // namespace autoarchive::host
