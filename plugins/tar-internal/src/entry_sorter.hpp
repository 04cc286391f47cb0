/// \file
/// Brings the members of an archive into walk order, whatever order they come in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/temporary_file.hpp"

namespace autoarchive::tar_internal {

/// Holds some thousand entries; more go into unnamed files as sorted runs, which are merged again. What comes in walk
/// order makes one run. Add everything, then rewind() and next(), as often as wanted. Not thread-safe.
class EntrySorter {
 public:
  /// `directory` is where the files are made; `level` is that of most entries.
  EntrySorter(std::filesystem::path directory, int level, std::size_t max_held = kMaxHeld);

  /// Throws Error(os_error).
  void add(ManifestEntry entry);
  /// No add() any more.
  void rewind();
  /// The next in walk order; of several with one path, the one that was added last. False after the last.
  [[nodiscard]] bool next(ManifestEntry& entry);

  static constexpr std::size_t kMaxHeld = 16'384;

 private:
  struct Run {
    std::unique_ptr<TemporaryFile> file;
    std::unique_ptr<ManifestWriter> writer;  // null: it is complete
    std::string last_path;
  };
  struct Head {
    std::unique_ptr<ManifestReader> reader;
    ManifestEntry entry;
    bool has_entry = false;
  };

  void sort_held();
  void spill();
  void end_run();

  std::filesystem::path directory_;
  ManifestHeader header_;
  std::size_t max_held_;
  std::vector<ManifestEntry> held_;
  std::size_t next_held_ = 0;
  std::vector<Run> runs_;    // empty: all that there is is held
  std::vector<Head> heads_;  // one a run, in the same order
};

}  // namespace autoarchive::tar_internal
