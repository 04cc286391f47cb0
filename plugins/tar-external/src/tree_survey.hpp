/// \file
/// The walk before tar runs: what is left out, which directories there are, and the entries for the manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"

namespace autoarchive::tar_external {

/// Names are as tar sees them: "./alice" below the include ".", "alice" otherwise. Holds the tree's entries in memory
/// until the manifest is written.
class TreeSurvey {
 public:
  /// Walks. `own_directories` are left out although the walk does not report them: destination and state, where they
  /// lie below the root.
  TreeSurvey(BackupJob& job, const std::vector<std::filesystem::path>& own_directories);

  [[nodiscard]] const std::vector<std::string>& excluded() const noexcept { return excluded_; }
  /// Whether the tree has this directory with this inode.
  [[nodiscard]] bool has_directory(std::string_view name, std::uint64_t inode) const;

  /// Writes the manifest. `stored` are the members of the new archive, as bytes and without a trailing slash.
  void write_manifest(BackupJob& job, const std::unordered_set<std::string>& stored);

 private:
  [[nodiscard]] std::string tar_name(const std::string& path) const;
  void exclude_own(const std::filesystem::path& root, const std::filesystem::path& directory,
                   const std::string& archive);

  bool whole_tree_;
  std::vector<std::string> excluded_;
  std::unordered_map<std::string, std::uint64_t> directories_;
  std::vector<ManifestEntry> entries_;
};

}  // namespace autoarchive::tar_external
