/// \file
/// What the base class hands to a provider while one backup is being written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_request.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/tree_comparison.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive {

/// One running backup: the walk, the destination's stream, the manifest and the reports. Owned by the base class. Used
/// on the thread that called the provider, but for three things: check_stop() is thread-safe, archive() may be written
/// to by any thread, one at a time, and walks and comparisons may be used by any one thread.
class AA_EXPORT BackupJob {
 public:
  struct Parts;  ///< known to the base class only
  explicit BackupJob(Parts& parts) noexcept : parts_(parts) {}
  BackupJob(const BackupJob&) = delete;
  BackupJob& operator=(const BackupJob&) = delete;

  [[nodiscard]] const BackupRequest& request() const noexcept;
  /// Complete: all ids are set.
  [[nodiscard]] const BackupIdentity& identity() const noexcept;
  [[nodiscard]] int level() const noexcept;
  [[nodiscard]] bool incremental() const noexcept;
  /// What the archive's pax global header says in its comment, e.g. "autoarchive home level=1 backup=0b8e… chain=…
  /// parent=…".
  [[nodiscard]] std::string archive_comment() const;

  /// The directory that is read: the physical root.
  [[nodiscard]] const std::filesystem::path& root() const noexcept;
  /// A new walk over what is to be stored, from its beginning: includes, filter and our own files are set.
  [[nodiscard]] std::unique_ptr<Walker> walk() const;
  /// The same walk, compared with the parent level; in a level 0 everything is added. Throws Error(file_not_found,
  /// cause state_lost) if the parent's manifest is lost, damaged, or that of another backup.
  [[nodiscard]] std::unique_ptr<TreeComparison> compare_with_parent() const;

  /// The archive's bytes go here, in order. Counted and digested on the way; finished by the base class.
  [[nodiscard]] Sink& archive() noexcept;
  /// Adds to the manifest, in walk order: every entry of the tree, also those that are stored in an earlier level.
  /// Marks it racy if its ctime is later than 60 s before now: a later change might leave it the same times.
  void add_to_manifest(ManifestEntry& entry);
  /// For the manifest's block table.
  void add_block(ArchiveBlock block);
  /// The parent level's manifest, checked: the one beside its archive, or the provider's own copy; null for a level 0.
  /// Throws as compare_with_parent().
  [[nodiscard]] std::unique_ptr<ManifestReader> parent_manifest() const;

  /// A temporary path for a state file, e.g. for "home.1.snar"; takes its name in work_dir/snapshots with the commit.
  [[nodiscard]] std::filesystem::path put_state(std::string_view name);

  /// Reports; see IBackupObserver. file_added also counts, and drives progress(). some_files_changed is told once, at
  /// the end.
  void file_added(std::string_view name);
  void operation_error(BackupSubOperation operation, BackupOperationError error,
                       std::optional<std::string_view> name = {}, std::optional<std::string_view> error_text = {});
  /// stat, open or read failed with `os_errno`: EACCES is permission_denied, all others unknown_os_error with the text.
  void file_error(BackupSubOperation operation, std::string_view name, int os_errno);
  /// Reports every event of the walk but entries and excluded ones: sockets, unknown types, what can't be stat'ed or
  /// listed.
  void walk_problem(const WalkItem& item);
  /// What is deleted is told in walk order: the manifest names it.
  void entry_done(const Entry& entry, EntryStatus status, std::string_view rule = {});
  void content_stored(std::uint64_t bytes);
  void notice(std::string_view text);
  /// Throws Error(runtime_error, cause cancelled) if a stop was requested. Call it at least once per MiB.
  void check_stop() const;

 private:
  [[nodiscard]] WalkOptions walk_options() const;

  Parts& parts_;
};

}  // namespace autoarchive
