/// \file
/// Restores a chain: level after level, later ones replace and delete.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "extractor.hpp"
#include "restore_directory.hpp"

namespace autoarchive::tar_internal {

class ChainReader;
class MemberReader;

/// One restore. Everything is restored level after level. A selection is taken from the manifest of the last level, and
/// of the files only the blocks with the wanted members are decoded. Symlinks, and links to them, are made when all
/// files are done, so that none is ever in a path that is written through; directories get their attributes last,
/// deepest first. Memory grows with the number of members by a hash each, and with directories and symlinks. Not
/// thread-safe.
class RestoreJob {
 public:
  /// `request` must outlive the job.
  explicit RestoreJob(const RestoreRequest& request);
  RestoreResult run();

 private:
  [[nodiscard]] bool can_select() const;
  void restore_selection();
  void restore_entry(const ManifestEntry& line, ChainReader& chain);
  void extract_entry(const ManifestEntry& line, const ArchiveMember& member, ChainReader& chain);
  void restore_level(const ArchiveLevel& level, bool is_first);
  void take(const ArchiveMember& member, MemberReader& reader, bool is_first);
  void extract(const ArchiveMember& member, MemberReader* reader);
  void extract_hard_link(const ArchiveMember& member);
  void apply_dumpdir(const ArchiveMember& directory);
  void remove(const std::string& path);
  void count_only(const ArchiveMember& member);
  void check_stop() const;
  void forget_below(const std::string& path);
  void make_symlinks();
  void finish_directories();
  void remove_others(const std::string& directory);
  [[nodiscard]] bool is_wanted(std::string_view path);
  [[nodiscard]] bool may_replace(const Entry& entry);
  [[nodiscard]] bool was_restored(const std::string& path) const {
    return restored_.contains(std::hash<std::string>()(path));
  }
  void problem(std::string_view path, std::string_view text);

  const RestoreRequest& request_;
  RestoreResult result_;
  RestoreDirectory target_;
  Extractor extractor_;
  std::unordered_set<std::size_t> restored_;  // hashes of the paths that this run has made
  std::map<std::string, Entry> directories_;  // whose attributes are still to be set
  std::map<std::string, Entry> symlinks_;     // to be made at the end
  std::map<std::string, Entry> late_links_;   // hard links to those
  std::vector<bool> found_;                   // for each of request_.paths
  // Of a selection: the first name of each file that has several.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names_;
};

}  // namespace autoarchive::tar_internal
