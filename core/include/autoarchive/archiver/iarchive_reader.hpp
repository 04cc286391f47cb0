/// \file
/// The reader service: looks into archives and restores them, ours or foreign, by content and never by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archive_comment.hpp"
#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/service/iservice.hpp"
#include "autoarchive/service/iservice_identification.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive {

/// One archive file of a chain.
struct ArchiveLevel {
  std::unique_ptr<ReadableFile> file;
  std::unique_ptr<ReadableFile> manifest;  ///< null: there is none, the archive speaks for itself
};

/// A member of an archive, as it stands in it.
struct ArchiveMember {
  Entry entry;             ///< path as restored below the target; link_target also for hard links
  bool hard_link = false;  ///< entry.link_target is an earlier member, relative to the target
  /// GNU.dumpdir of a directory of an incremental backup: its complete list of names; none for other members.
  std::optional<std::vector<std::string>> dumpdir;
};

/// Takes members one by one, in the order of the archive, on the calling thread. Throwing ends the reading.
class AA_EXPORT IMemberVisitor {
 public:
  IMemberVisitor() = default;
  IMemberVisitor(const IMemberVisitor&) = delete;
  IMemberVisitor& operator=(const IMemberVisitor&) = delete;
  virtual ~IMemberVisitor();
  virtual void member(const ArchiveMember& member) = 0;
};

enum class OverwritePolicy : std::uint8_t { always, newer, never };
enum class OwnerPolicy : std::uint8_t {
  names,  ///< by name where the name is known here, else by number
  ids,    ///< by number
  none,   ///< the restoring user's
};

/// Told while a restore runs, on the calling thread. What a call throws ends the restore. Strings and members are valid
/// during the call only. The defaults do nothing.
class AA_EXPORT IRestoreObserver {
 public:
  IRestoreObserver() = default;
  IRestoreObserver(const IRestoreObserver&) = delete;
  IRestoreObserver& operator=(const IRestoreObserver&) = delete;
  virtual ~IRestoreObserver();
  /// An entry is made, or in a dry run would be.
  virtual void restored(const ArchiveMember& member);
  /// What the target had and the backup has not is gone, or in a dry run would be.
  virtual void removed(std::string_view path);
  /// One entry could not be restored exactly; the restore goes on and the result counts it.
  virtual void problem(std::string_view path, std::string_view text);
  /// The archive does not have the entry as it was stored; the restore goes on and the result counts it. An empty path:
  /// it is not one entry, the text says what. The default calls problem().
  virtual void damaged(std::string_view path, std::string_view text);
  /// Made so far; often enough for a bar.
  virtual void progress(std::uint64_t entries, std::uint64_t content_bytes);
};

/// What to restore. Levels from 0 upward to the wanted one; later ones replace, and delete by their dumpdirs.
struct RestoreRequest {
  std::vector<ArchiveLevel> levels;
  std::filesystem::path target;    ///< made if missing (its parent must exist); never written outside of it
  std::vector<std::string> paths;  ///< members (directories with all below them); empty: everything
  OverwritePolicy overwrite = OverwritePolicy::always;
  OwnerPolicy owner = OwnerPolicy::names;
  /// Make the target equal: remove what the backup does not have. What is in the place of a directory that could not be
  /// read for the backup, or on a file system that is mounted below the target, stays; of the latter only what `paths`
  /// name goes.
  bool delete_others = false;
  bool dry_run = false;  ///< report what would be done; the target need not be there
  bool salvage = false;  ///< keep what can be read of damaged files, and go on behind what can't
  Bytes decoder_memory{128ULL << 20U};
  std::stop_token stop;
  IRestoreObserver* observer = nullptr;  ///< borrowed; null: nobody listens
};

struct RestoreResult {
  std::uint64_t entries = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t removed = 0;
  std::uint64_t problems = 0;
  std::uint64_t damaged = 0;  ///< those of them that are damage of the archive
  /// Members of `paths` that no level has.
  std::vector<std::string> not_found;
};

/// What reading an archive to its very end has shown.
struct VerifyResult {
  std::uint64_t members = 0;
  std::uint64_t content_bytes = 0;
  std::string sha256;               ///< of the file; empty if it can't be read to its end, which is a fault
  std::vector<std::string> faults;  ///< empty: nothing wrong was found; the first one is nearest to the beginning
  /// Of a damaged file with a manifest: what can't be restored from it. The first thousand paths, and all counted.
  std::vector<std::string> lost;
  std::uint64_t lost_members = 0;
  std::uint64_t whole_members = 0;  ///< of a damaged file with a manifest: what can
};

/// Reads archives. One instance serves one call at a time. Throws only Error: value_error with cause damaged if the
/// archive is not what its format wants, cause unsupported if the format is not known.
class AA_EXPORT IArchiveReader : public IService {
 public:
  ~IArchiveReader() override;

  /// Every member of one archive file.
  virtual void read_members(const ReadableFile& file, Bytes decoder_memory, IMemberVisitor& visitor) = 0;
  /// What the file says of itself (archive_comment.hpp), from its beginning; none if it is not one of ours.
  [[nodiscard]] virtual std::optional<ArchiveIdentity> identity(const ReadableFile& file) = 0;
  /// Restores the state of the last level.
  virtual RestoreResult restore(const RestoreRequest& request) = 0;
  /// Restores the state of the last level into nothing: everything is read from where it lies and compared with what
  /// the manifest says. The request's target, paths and policies have no meaning.
  virtual RestoreResult prove(const RestoreRequest& request) = 0;
  /// Writes the content of one file of the last level to `out`, which the caller finishes. Throws Error: key_error
  /// (no_such_backup) if it is not there, value_error (usage) if it is no file, cause damaged, after what could be read
  /// was written, if the content is not what was stored.
  virtual void read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) = 0;
  /// Reads one file to its end and checks all that it proves about itself; `manifest` may be null.
  virtual VerifyResult verify(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop) = 0;
  /// Makes the manifest of an archive that has lost it, from the archive, which is read to its end, and `parent`, the
  /// manifest of the level before (null for a level 0). Inodes and change times are in no archive: they are 0, not
  /// known. `out` is finished by the caller. Throws Error: cause damaged if the archive is, not_implemented (cause
  /// unsupported) if the format says too little.
  virtual ManifestClosing rebuild_manifest(const ReadableFile& file, const ReadableFile* parent,
                                           const ManifestHeader& header, Sink& out, std::stop_token stop) = 0;
};

/// Tells which formats a reader knows. Thread-safe.
class AA_EXPORT IArchiveReaderIdentification : public IProviderIdentification {
 public:
  ~IArchiveReaderIdentification() override;

  /// The format's name if the file begins like one that this reader knows, e.g. "tar.gz"; `head` has the first bytes of
  /// the file, at least 1024 if it is that long.
  [[nodiscard]] virtual std::optional<std::string> recognise(ByteView head) const = 0;
};

/// The reader service.
class AA_EXPORT ArchiveReaderServiceIdentification final : public IServiceIdentification {
 public:
  using Interface = IArchiveReader;
  [[nodiscard]] std::string_view name() const noexcept override;
  [[nodiscard]] std::type_index interface() const noexcept override;
  [[nodiscard]] std::type_index provider_identification_interface() const noexcept override;
  [[nodiscard]] bool accepts(const IProviderIdentification& identification) const noexcept override;
};

}  // namespace autoarchive
