/// \file
/// Archive files that say which backup they are, whatever they are called, and what they should be called. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "autoarchive/archiver/archive_comment.hpp"
#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/durations.hpp"

namespace autoarchive::host {

/// One file of one archive.
struct FoundBackup {
  std::string file;  ///< as it is called now
  ArchiveIdentity identity;
  BackupType type;
  std::uint64_t bytes = 0;
  SystemTime time{};  ///< when the tree was so
  /// Why it can't be told what it is based on; empty: it can, or the identity says it.
  std::string chain_fault{};
  bool is_original = false;  ///< it does not say itself which backup it is (original_backups.hpp)
  /// What is wrong with its beginning, so that only the manifest beside it says which backup it is; empty: nothing.
  std::string damage{};
};

/// What such a file should be called.
struct FoundName {
  enum class Fate : std::uint8_t {
    stays,  ///< it has a right name
    moves,
    copy,      ///< another file has the same backup; it is left alone
    renamed,   ///< it is called as a backup of another archive, by somebody who wanted that; it is left alone
    nameless,  ///< every name that it could have is taken; it is left alone
  };
  Fate fate = Fate::stays;
  BackupName name;      ///< of `stays` and `moves`; of `renamed`: what it is called
  std::string copy_of;  ///< of `copy`: the file that is used
};

/// One answer a file, in their order. All are of one archive. What has a right name, of whatever generation, keeps it;
/// what has not gets that of the first generation which holds nothing of another chain, the newest chain first. `taken`
/// are all names in the directory, `others` the archives that are configured. Of several copies the one with a right
/// name counts, else the largest.
[[nodiscard]] std::vector<FoundName> name_backups(const std::vector<FoundBackup>& found,
                                                  const std::set<std::string>& taken,
                                                  const std::set<std::string>& others = {});

/// Whether an archive can be called what a file says it is called: the name is not to be trusted.
[[nodiscard]] bool is_archive_name(const std::string& name);

}  // namespace autoarchive::host
