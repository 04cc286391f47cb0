/// \file
/// Which backups of an archive a storage has, how they form chains and points in time, and which one a selector means.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archive_comment.hpp"
#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/chain.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive {

/// One backup file, with what its manifest says if it has one.
struct CatalogEntry {
  BackupName name;
  StoredFile file;
  std::optional<ManifestHeader> header;  ///< none: no manifest lies beside it, or it can't be read
  std::optional<ManifestClosing> closing;
  std::string manifest;  ///< file name of the manifest that was read; empty: none
  std::string fault;     ///< what is wrong with the manifest, or with the file that it is of; empty: nothing
  std::optional<ArchiveIdentity> identity;  ///< what the file says of itself; whoever reads files adds it (read() not)
  /// There is no manifest, and the file does not say that it is one of ours: somebody else's, or one whose beginning is
  /// lost; or it is of another archive. It counts where there is nothing else.
  bool is_foreign = false;

  /// When the tree was as it is in this backup: the manifest's start, else what the file says, else its modification
  /// time.
  [[nodiscard]] AA_EXPORT SystemTime time() const noexcept;
  /// That of the manifest, else of the file, else of the name.
  [[nodiscard]] AA_EXPORT int level() const noexcept;
  /// That of the manifest, else of the file; empty if neither says it.
  [[nodiscard]] AA_EXPORT std::string backup_uuid() const;
  /// Which archive it is of, whatever it is called: the same.
  [[nodiscard]] AA_EXPORT std::string archive() const;
  /// Of what it is based on: the same.
  [[nodiscard]] AA_EXPORT std::string parent_uuid() const;
};

/// The backups of one archive. A plain snapshot of a listing: immutable, thread-safe.
class AA_EXPORT BackupCatalog {
 public:
  /// Lists the storage and reads the manifests' first and last lines. `types` are the extensions that count. Files set
  /// aside by a commit in progress (._old) are listed under the name they had if no other file has that backup.
  [[nodiscard]] static BackupCatalog read(const IStorage& storage, std::string_view archive,
                                          std::span<const BackupType> types);
  /// For tests: as if read.
  explicit BackupCatalog(std::vector<CatalogEntry> entries);

  /// Current generation first, then aa, ab …; by level within each.
  [[nodiscard]] const std::vector<CatalogEntry>& entries() const noexcept { return entries_; }
  /// Indices of all entries, newest point in time first, foreign ones last. A clock that was set back is no match for
  /// what is known: a level is newer than what it is based on, and than a backup from the future that it has replaced.
  [[nodiscard]] std::vector<std::size_t> newest_first() const;

  /// The entry that a selector means: "" newest; "2" level of the newest chain; "aa" newest of that generation; "2.aa"
  /// its level;
  /// "~1" one point in time before the newest; "2026-11-01[T03:00]" newest not after. Throws Error: value_error (usage)
  /// if it is none of these, key_error (no_such_backup) naming what there is if nothing fits.
  [[nodiscard]] std::size_t resolve(std::string_view selector) const;

  /// Entries from level 0 to `target` in the order of restoring: by parent ids where manifests or files say them,
  /// else by level within the generation. Throws Error(runtime_error, cause damaged) that names the gap.
  [[nodiscard]] std::vector<std::size_t> chain_to(std::size_t target) const;
  /// Entries that can't be restored without `target`.
  [[nodiscard]] std::vector<std::size_t> dependants_of(std::size_t target) const;

 private:
  std::vector<CatalogEntry> entries_;
};

}  // namespace autoarchive
