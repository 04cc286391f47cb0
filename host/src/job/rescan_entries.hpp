/// \file
/// The backups of one archive while a rescan gives them their names and manifests: which is based on which, and what is
/// wrong with each.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "autoarchive/manifest/entry.hpp"
#include "job/found_backups.hpp"
#include "job/rescan.hpp"

namespace autoarchive::host {

struct RescanEntry {
  FoundBackup found;
  BackupName name;  ///< that it gets; without an archive it is left alone
  RescannedBackup result;
  std::optional<ManifestHeader> header{};  ///< of its manifest; none: it has none
  ManifestClosing closing{};
  bool is_put = false;   ///< the manifest is new
  bool is_left = false;  ///< it, or its manifest, can't be read now

  [[nodiscard]] bool is_used() const { return !name.archive.empty(); }
  /// Adds a trouble. `problem` is its id; empty: it is worth a notice only. The first id stays.
  void fail(const std::string& trouble, const char* problem);
};

class RescanEntries {
 public:
  void add(FoundBackup found);
  /// `names` are those in the directory, `archives` the configured ones.
  void assign_names(const std::set<std::string>& names, const std::set<std::string>& archives);

  [[nodiscard]] std::vector<RescanEntry>& all() noexcept { return entries_; }
  [[nodiscard]] const std::vector<RescanEntry>& all() const noexcept { return entries_; }
  /// What a level is based on comes before it.
  [[nodiscard]] std::vector<RescanEntry*> in_chain_order();

  /// The one that is used, else one that is left alone; null: none has this id.
  [[nodiscard]] const RescanEntry* of(const std::string& backup_uuid) const;
  /// A file of the same backup that is left alone; null: there is none.
  [[nodiscard]] const RescanEntry* copy_of(const RescanEntry& entry) const;
  /// The level below with its manifest; null for a level 0, and, with the reason in the entry, if it is not to be had.
  const RescanEntry* parent_of(RescanEntry& entry) const;
  /// Of an entry that has a manifest, and after what it is based on has its own: fails the entry if that is not here,
  /// or not the file that it was.
  void check_parent(RescanEntry& entry) const;

 private:
  static void tell_of_missing_parent(RescanEntry& entry, const std::string& parent_uuid);
  std::vector<RescanEntry> entries_;
};

/// For the manifest that is made anew.
[[nodiscard]] ManifestHeader header_for(const RescanEntry& entry, const RescanEntry* parent);

}  // namespace autoarchive::host
