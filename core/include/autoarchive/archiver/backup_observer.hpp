/// \file
/// What a provider tells while it works.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive {

/// What became of an entry; the letter is the one that `aa -v` prints.
enum class EntryStatus : char {
  added = 'A',
  modified = 'M',
  unchanged = 'U',
  changed_while_read = 'C',
  failed = 'E',
  deleted = 'D',
  retried = 'R',
  excluded = '-',
};

/// Where a job stands. Counts only grow; a total of 0 means "not known".
struct BackupProgress {
  std::uint64_t entries = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t archive_bytes = 0;
  std::uint64_t total_entries = 0;
  std::uint64_t total_content_bytes = 0;
};

/// A job begins.
struct BackupStarted {
  std::string archive;
  std::string provider;
  std::string file;  ///< the path that the backup will have
  std::string backup_uuid;
  int level = 0;
};

/// A job has ended well: its backup is committed.
struct BackupSummary {
  std::uint64_t entries = 0;         ///< of the tree
  std::uint64_t stored_entries = 0;  ///< members of this file
  std::uint64_t content_bytes = 0;   ///< of the stored files
  std::uint64_t archive_bytes = 0;
  std::uint64_t operation_errors = 0;  ///< calls of backup_operation_error, notices included
  std::string archive_sha256;
};

/// All calls come on the thread that runs the backup, one at a time. What a handler throws ends the backup as an error:
/// nothing is committed. The strings are valid during the call only. The defaults do nothing.
class AA_EXPORT IBackupObserver {
 public:
  IBackupObserver() = default;
  IBackupObserver(const IBackupObserver&) = delete;
  IBackupObserver& operator=(const IBackupObserver&) = delete;
  virtual ~IBackupObserver();

  /// Once a job, when all has been checked and before anything is written.
  virtual void started(const BackupStarted& job);
  /// Once per object that goes into the backup, before its data is written. The seed's fileAdd: the in-process provider
  /// gives the path as enumerated, GNU tar adds a "/" to directories.
  virtual void file_add(std::string_view name);
  /// One file (or the job, without a name) had a problem; the job goes on. `name` is set for unknown_file_operation,
  /// stat, open and read; `error_text` for unknown_error and unknown_os_error. finish/some_files_changed comes last,
  /// once.
  virtual void backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                                      std::optional<std::string_view> name, std::optional<std::string_view> error_text);
  /// The outcome for one entry, once it is known; `rule` says why it was left out, else it is empty.
  virtual void entry_done(const Entry& entry, EntryStatus status, std::string_view rule);
  /// Something the user should know that is no problem of one file, e.g. "snapshot lost, this will be a level 0".
  virtual void notice(std::string_view text);
  /// Often enough for a bar, at most some ten times a second.
  virtual void progress(const BackupProgress& progress);
  /// Once, after the commit.
  virtual void finished(const BackupSummary& summary);
};

}  // namespace autoarchive
