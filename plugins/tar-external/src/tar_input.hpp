/// \file
/// What tar is told to read: names, excluded names, and for an incremental backup a snapshot that says of every entry
/// whether it is stored.
///
/// GNU tar decides by its snapshot and by times. By times it can lose: a clock that was ahead, a time that was set
/// back, a directory that has taken the place of another. So it gets a snapshot that was made for this run, from the
/// comparison with the parent's manifest: it lies in the farthest future, so that no file is newer; every directory has
/// the inode that it has now; and a list has the names that are not to be stored, so that exactly the others are.
/// Device numbers in it are those of no device, so that tar takes no directory for another one that was renamed, and
/// never writes a rename.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/storage/temporary_file.hpp"
#include "tree_survey.hpp"

namespace autoarchive::tar_external {

class TarInput {
 public:
  /// Decides. `own_directories` are left out where they lie below the root: destination and state. Files lie in
  /// `scratch`. `state`: where the snapshot is written that is kept; empty unless the backup is incremental. Throws
  /// Error.
  TarInput(const BackupJob& job, const TreeSurvey& survey, const std::filesystem::path& scratch,
           const std::vector<std::filesystem::path>& own_directories, const std::filesystem::path& state);

  /// For --files-from: NUL-terminated.
  [[nodiscard]] const TemporaryFile& names() const noexcept { return names_; }
  /// For --exclude-from: literal names, one a line.
  [[nodiscard]] const TemporaryFile& excluded() const noexcept { return excluded_; }
  /// Literal names that fit in no line.
  [[nodiscard]] const std::vector<std::string>& excluded_names() const noexcept { return excluded_names_; }
  /// With wildcards.
  [[nodiscard]] const std::vector<std::string>& excluded_patterns() const noexcept { return excluded_patterns_; }
  /// For --listed-incremental; null: not an incremental backup.
  [[nodiscard]] const TemporaryFile* snapshot() const noexcept { return snapshot_.get(); }
  /// Of the snapshot that is kept as the level's state, which has the tree as it is now, so that tar could go on from
  /// it by itself. Empty: not an incremental backup.
  [[nodiscard]] const std::string& state_sha256() const noexcept { return state_sha256_; }

 private:
  class Plan;
  void exclude(std::string name);
  void exclude_own(const BackupJob& job, const std::filesystem::path& directory);
  void plan_level(const TreeSurvey& survey, const std::filesystem::path& scratch, const std::filesystem::path& state);
  void plan_whole(const TreeSurvey& survey);

  bool with_dot_;  // names are "./alice" for tar, and not "alice"
  TemporaryFile names_;
  TemporaryFile excluded_;
  std::vector<std::string> excluded_names_;
  std::vector<std::string> excluded_patterns_;
  std::unique_ptr<TemporaryFile> snapshot_;
  std::string state_sha256_;
};

}  // namespace autoarchive::tar_external
