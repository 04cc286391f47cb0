/// \file
/// How files get into a destination: all of a backup's files at once, or none, whatever dies in between.
///
/// The order of a commit, and what each crash leaves, is written down in docs/architecture.md ("Commit").
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

class ReadableFile;

/// Whom a transaction is for, and under which conditions it may begin.
struct TransactionOptions {
  std::string archive;  ///< the archive's name: locks and journal carry it
  std::chrono::seconds lock_wait{0};
  /// Where the second lock of the archive lies, e.g. "/var/lib/autoarchive/lock"; empty: none.
  std::filesystem::path state_lock_dir;
  /// The destination's marker as remembered; a missing or different one means that it is not mounted.
  std::optional<std::string> expected_marker;
  /// Take a destination whose marker is missing or different as new all the same.
  bool new_destination = false;
  /// Off for benchmarks only: files are not synced.
  bool sync = true;
  std::stop_token stop;
};

/// One change to files that are there already. Names as in the storage.
struct CommitStep {
  enum class Action : std::uint8_t {
    retire,  ///< set aside as FROM._old until the new files have their names, then removed
    move,    ///< renamed to TO
    keep,    ///< FROM is about to be replaced: hard-linked to TO, or renamed where there are no links
  };
  Action action = Action::move;
  std::string from;
  std::string to;
};

/// What happens to older files when the new ones take their names. Steps in the order of their execution. A plain
/// value.
struct CommitPlan {
  std::vector<CommitStep> steps;
  /// Small files written anew with the commit: the ".sha256" of kept files, e.g. {"home.aa.tar.gz.sha256", "9f2c…
  /// home.aa.tar.gz\n"}. "RESTORE.txt" is one file for all archives: of this content the lines up to the first
  /// "== ARCHIVE ==" replace its introduction, and the rest replaces the section of this archive.
  struct Text {
    std::string name;
    std::string content;
  };
  std::vector<Text> texts;
  /// Fail with file_exists rather than replace a file that no step has moved away.
  bool only_if_absent = false;

  /// Whether a step takes the file of that name.
  [[nodiscard]] AA_EXPORT bool takes(std::string_view name) const;
};

/// One archive's write access to a storage, with its locks held from begin() until it is destroyed. Destroyed before
/// commit() has begun, it removes what it has put. Not thread-safe.
class AA_EXPORT ITransaction {
 public:
  ITransaction() = default;
  ITransaction(const ITransaction&) = delete;
  ITransaction& operator=(const ITransaction&) = delete;
  virtual ~ITransaction();

  /// What begin() had to repair, one line each, for the user.
  [[nodiscard]] virtual const std::vector<std::string>& recovered() const noexcept = 0;
  /// The destination's marker, made now if it had none.
  [[nodiscard]] virtual const std::string& marker() const noexcept = 0;

  /// Opens a new file that commit() will give this name; until then it has a temporary one and mode 0600. Several may
  /// be open at once. The sink must not outlive the transaction.
  [[nodiscard]] virtual std::unique_ptr<Sink> put(std::string_view name) = 0;
  /// A finished put, before the commit: to check what was written. Throws file_not_found.
  [[nodiscard]] virtual std::unique_ptr<ReadableFile> read_back(std::string_view name) const = 0;
  /// Forgets a put: its temporary file is removed.
  virtual void discard(std::string_view name) = 0;
  /// Device and inode of everything that this transaction writes, to be left out of the backup.
  [[nodiscard]] virtual std::vector<std::pair<std::uint64_t, std::uint64_t>> own_files() const = 0;

  /// A provider's state: the path of a temporary file, not made yet, that commit() renames to `target` (an absolute
  /// path on the same file system) after the new backup has its name.
  [[nodiscard]] virtual std::filesystem::path put_state(const std::filesystem::path& target) = 0;
  /// A provider's state that commit() removes, e.g. that of higher levels. Missing is fine.
  virtual void remove_state(const std::filesystem::path& target) = 0;

  /// Removes stored files at once, before anything is written: `overwrite_at_start`. Not undone by an abort.
  virtual void remove_now(const std::vector<std::string>& names) = 0;

  /// Makes all puts durable under their temporary names. Throws Error; nothing is visible yet and abort still works.
  virtual void prepare() = 0;
  /// Carries out `plan` and gives the new files their names, through a journal: once this has returned, or the process
  /// has died later than the journal, the backup is there after the next begin(). Calls prepare() if that has not been
  /// done. Throws Error; before the journal is written nothing has changed, after it the next begin() finishes the
  /// work. REQUIRES: every sink is finished; not called before.
  virtual void commit(const CommitPlan& plan) = 0;
};

}  // namespace autoarchive
