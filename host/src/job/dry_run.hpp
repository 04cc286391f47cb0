/// \file
/// `create --dry-run`: what a backup would hold.
#pragma once

#include <cstdint>

#include "autoarchive/storage/istorage.hpp"
#include "config/config.hpp"
#include "job/next_backup.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

/// Counts of what would be stored.
struct Forecast {
  std::uint64_t entries = 0;         ///< of the tree
  std::uint64_t stored_entries = 0;  ///< added or modified
  std::uint64_t content_bytes = 0;   ///< of the files among them
  std::uint64_t read_entries = 0;    ///< files that are read to see whether they have changed; not among the stored
  std::uint64_t read_bytes = 0;
  std::uint64_t gone_entries = 0;
};

/// Walks the tree and compares it with the level before, as the backup would. Each entry is a line with `-v`, with the
/// letter of its status, "?" for one that has to be read; unchanged ones with `-vv`. Nothing is written.
[[nodiscard]] Forecast forecast(Console& console, const ArchiveConfig& archive, const NextBackup& next,
                                const IStorage& storage);

}  // namespace autoarchive::host
