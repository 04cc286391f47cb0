/// \file
/// What every archiver that reads files by itself has to do with one: open it, copy it, and notice what goes wrong.
#pragma once

#include <cstdint>
#include <string_view>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive {

/// One entry of the walk on its way into the archive:
///
///     StoredEntry stored(job, item);                  // opens a regular file
///     if (stored.failed()) continue;                  // reported, and in the manifest as failed
///     put_header(stored.entry());                     // as the archive's format wants it
///     stored.copy_content(job.archive());             // exactly entry().size bytes
///     stored.finish();                                // into the manifest, and told
///
/// Not thread-safe; used on the thread that called the provider. `job` and `item` must outlive it.
class AA_EXPORT StoredEntry {
 public:
  /// REQUIRES: item.event is entry.
  StoredEntry(BackupJob& job, const WalkItem& item);
  StoredEntry(const StoredEntry&) = delete;
  StoredEntry& operator=(const StoredEntry&) = delete;
  ~StoredEntry();

  /// A file that could not be opened: told to the observer, entered into the manifest, nothing more to do.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// As it is when it is opened; its size is what copy_content() writes.
  [[nodiscard]] const Entry& entry() const noexcept { return manifest_.entry; }
  /// As in st_mode: the kind and the permissions.
  [[nodiscard]] std::uint32_t stat_mode() const noexcept;
  /// The format can't express this entry: reported with this text, and in the manifest as failed.
  void refuse(std::string_view text);
  /// Nothing for other kinds than files. A file that has become shorter, or can't be read to its end, is filled up with
  /// zeros and reported. Throws what `out` throws, and Error(cancelled) when a stop is requested.
  void copy_content(Sink& out);
  void finish();

 private:
  BackupJob& job_;
  OpenedEntry opened_;
  ManifestEntry manifest_;
  bool failed_ = false;
};

}  // namespace autoarchive
