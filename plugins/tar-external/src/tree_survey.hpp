/// \file
/// The walk before tar runs: what there is, and what has changed since the parent level. tar is told by it what to
/// read, and the manifest says of each entry what the walk has seen, which is how it was before tar read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/temporary_file.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "dumpdir_file.hpp"

namespace autoarchive::tar_external {

enum class Verdict : std::uint8_t {
  unchanged,   ///< the parent level has it as it is
  added,       ///< to be stored
  modified,    ///< to be stored
  unseen,      ///< what became of it could not be seen: stays as the parent has it
  failed,      ///< is there, and could not even be looked at: likewise
  excluded,    ///< not in the backup
  unstorable,  ///< not in the backup: a socket, or a type that no tar can express
};

struct SurveyedEntry {
  Entry entry;  ///< excluded, unseen and failed: only the path counts
  EntryState state = EntryState::ok;
  Verdict verdict = Verdict::unchanged;
};

/// Reads a survey from its beginning, in walk order.
class SurveyReader {
 public:
  explicit SurveyReader(std::unique_ptr<ReadableFile> file) : reader_(std::move(file)) {}
  /// False after the last entry. Throws Error.
  [[nodiscard]] bool next(SurveyedEntry& entry);

 private:
  ManifestReader reader_;
  ManifestEntry line_;
};

/// Entries lie in a file. In memory is what there are few of: directories, files with several names, trouble, and the
/// neighbours of includes. Not thread-safe.
class TreeSurvey {
 public:
  /// Walks, and reports what is left out, gone, or can't be looked at. Files lie in `scratch`.
  TreeSurvey(BackupJob& job, const std::filesystem::path& scratch);

  [[nodiscard]] SurveyReader entries() const { return SurveyReader(file_.reader()); }
  /// When it began: what has changed later may not be in it.
  [[nodiscard]] Timestamp started() const noexcept { return started_; }
  /// Whether tar has to store it: it is new or different, or it shares its content with a name that is. GNU tar
  /// restores the names of a file as one only if one archive has them all.
  [[nodiscard]] bool is_wanted(const SurveyedEntry& entry) const;

  /// Includes that are there, without those that lie in others.
  [[nodiscard]] const std::vector<std::string>& includes() const noexcept { return includes_; }
  /// Names in a directory above includes that lead to none of them (incremental backups only).
  [[nodiscard]] const std::vector<std::string>& neighbours(const std::string& directory) const;
  /// Directories whose contents stay out: they are on another file system.
  [[nodiscard]] const std::vector<std::string>& closed_directories() const noexcept { return closed_directories_; }
  /// Whether something that was directly in this directory is gone from the backup.
  [[nodiscard]] bool has_lost_names(const std::string& directory) const { return lost_names_.contains(directory); }
  /// Paths whose trouble has been reported already; tar will meet it again.
  [[nodiscard]] const std::set<std::string>& reported() const noexcept { return reported_; }
  [[nodiscard]] DumpdirFile& dumpdirs() noexcept { return dumpdirs_; }

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;  // device and number
  void take(ComparedItem& step);
  void take_entry(ComparedItem& step);
  [[nodiscard]] Verdict judge(ComparedItem& step) const;
  void take_directory(const WalkItem& item);
  void take_failed(const WalkItem& item);
  void note_neighbours(const WalkItem& ancestor);
  void put(Entry entry, Verdict verdict, EntryState state = EntryState::ok);

  BackupJob& job_;
  Timestamp started_;
  TemporaryFile file_;
  std::unique_ptr<ManifestWriter> writer_;
  std::string last_excluded_;
  DumpdirFile dumpdirs_;
  OwnerNames owners_;
  std::uint64_t root_device_ = 0;
  std::vector<std::string> includes_;
  std::unordered_map<std::string, std::vector<std::string>> neighbours_;
  std::vector<std::string> closed_directories_;
  std::unordered_set<std::string> lost_names_;
  std::set<std::string> reported_;
  std::map<Inode, bool> linked_;  // inodes with several names: whether one of them is to be stored
};

}  // namespace autoarchive::tar_external
