/// \file
/// Makes the manifest of an archive that has lost it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"
#include "entry_sorter.hpp"

namespace autoarchive::tar_internal {

/// What the archive stores is new; of the level before stays what the lists of names in the archive still have. Memory
/// grows with files of several names, and by 8 bytes with each name in the lists of a level above 0. Not thread-safe.
class ManifestRebuild {
 public:
  /// `file` and `parent` (null for a level 0) must outlive this object; `directory` is for temporary files.
  ManifestRebuild(const ReadableFile& file, const ReadableFile* parent, std::filesystem::path directory,
                  std::stop_token stop);
  /// As IArchiveReader::rebuild_manifest(). REQUIRES: called once.
  [[nodiscard]] ManifestClosing run(const ManifestHeader& header, Sink& out);

 private:
  void read_members(EntrySorter& members, int level);
  void find_originals(EntrySorter& members);
  void write_entries(EntrySorter& members, ManifestWriter& writer);
  void complete_names(ManifestEntry& entry) const;
  [[nodiscard]] bool stays(const Entry& old);
  void check_place(const ManifestEntry& line);
  [[nodiscard]] Error damage(std::string_view path, std::string_view text) const;

  const ReadableFile& file_;
  std::unique_ptr<ManifestReader> parent_;
  std::filesystem::path directory_;
  std::stop_token stop_;
  std::vector<ArchiveBlock> blocks_;
  ManifestClosing closing_;
  std::map<std::string, std::uint64_t, std::less<>> further_names_;  // by what they are names of: how many
  std::map<std::string, ManifestEntry, std::less<>> originals_;      // those files
  std::unordered_set<std::size_t> lists_;                            // hashes of directories that list their names
  std::unordered_set<std::size_t> listed_;                           // hashes of the paths in those lists
  std::optional<std::string> gone_;                                  // what of the parent is no more, with all below it
  std::optional<std::string> no_directory_;  // the last entry that was written, if nothing can be below it
};

}  // namespace autoarchive::tar_internal
