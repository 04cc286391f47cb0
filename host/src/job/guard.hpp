/// \file
/// Whether the source looks like the one that was backed up last time.
#pragma once

#include <cstdint>
#include <string>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

/// Size of a tree. A plain value.
struct TreeSize {
  std::uint64_t files = 0;
  std::uint64_t content_bytes = 0;
};

/// Walks the tree with the archive's rules. `root`: where it is read, e.g. a snapshot. Throws Error (cause source).
[[nodiscard]] TreeSize measure_tree(const ArchiveConfig& archive, const std::filesystem::path& root);

/// What the newest backup with a manifest has; none if there is none.
[[nodiscard]] std::optional<TreeSize> last_tree_size(const BackupCatalog& backups);

/// Why the source is not trusted, e.g. "it has 12 files, guard.min_files is 1000"; empty: it is. Pure.
[[nodiscard]] std::string suspicion(const GuardRules& guard, const TreeSize& now, const std::optional<TreeSize>& last);

}  // namespace autoarchive::host
