/// \file
/// The tree that a restore makes: each member is made, replaced or removed below the target.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "extractor.hpp"
#include "file_queue.hpp"
#include "member_path.hpp"
#include "restore_directory.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// Symlinks, and links to them, are made when all files are done, so that none is ever in a path that is written
/// through; directories get their attributes last, deepest first. Small files are made on threads of their own, where
/// nothing else can depend on them: whatever touches a path that was made before, or may go through one, waits for
/// them. Memory grows with the number of members by a hash or two each, and with directories and symlinks. Not
/// thread-safe.
class TargetTree {
 public:
  /// The references must outlive the tree; `result` gets the counts, `report` is told what could not be done exactly.
  /// With a request that makes nothing the target need not be there.
  TargetTree(const RestoreRequest& request, bool makes, RestoreResult& result, RestoreReport report);

  /// The backup has this path, whether it is restored or not: remove_others() leaves it.
  void keep(std::string_view path);
  /// What is in the directory is not known, or not to be changed: remove_others() leaves it.
  void leave_contents(std::string_view path) { left_.insert(hash_of(path)); }
  [[nodiscard]] bool was_restored(std::string_view path) const { return restored_.contains(hash_of(path)); }
  /// Has a directory that comes later take the place of what is none, for what comes before it and is in it.
  void clear_way(const Entry& directory);
  /// Whether the policy lets this entry replace what is there.
  [[nodiscard]] bool may_replace(const Entry& entry);
  /// Makes the member, or will have made it when settle() returns; `reader` stands at the content of a file, and is
  /// null for everything else. Throws what the reader throws; then there is no file under the name, or, where the
  /// request salvages, the beginning of one. A content that `is_right` refuses replaces nothing, unless it is salvaged.
  void extract(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right = {});
  /// Removes whatever the backup does not have of what `is_wanted`; `is_above` tells directories on the way to it.
  void remove_others(const std::function<bool(std::string_view)>& is_wanted,
                     const std::function<bool(std::string_view)>& is_above);
  /// Waits for all files that are being made.
  void settle();
  /// A directory on the way to what is restored: if it has to be made, it gets these attributes.
  void note_way(const Entry& directory) { ways_.insert_or_assign(directory.path, directory); }
  /// Makes symlinks, and removes what an interrupted restore has left.
  void make_late();
  /// Gives directories their attributes; those of which none are known what a new one gets.
  void finish();

 private:
  /// One symlink, whatever names it has.
  struct LateSymlink {
    Entry entry;
    std::string made_at;  // empty: nowhere yet
  };

  void note_sources();
  [[nodiscard]] bool is_source(const std::string& path);
  [[nodiscard]] bool is_name_of_itself(const Entry& entry) const;
  [[nodiscard]] bool is_to_replace_directory(const ArchiveMember& member);
  void replace_directory(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right);
  void make_in_place(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right);
  [[nodiscard]] bool make(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right);
  [[nodiscard]] bool can_queue(const ArchiveMember& member) const;
  [[nodiscard]] bool is_apart(const ArchiveMember& member);
  void queue(const ArchiveMember& member, MemberReader& reader, const ContentCheck& is_right);
  void note_directory_of(std::string_view path);
  void remove_leftovers_in(const std::string& directory);
  void take_made_files(bool all);
  [[nodiscard]] bool make_hard_link(const Entry& entry);
  void make_late(const std::string& path, LateSymlink& symlink);
  void note_directory(const Entry& entry);
  void finish_ways();
  /// A path with all that is below it. What is left is told.
  void remove(const std::string& path);
  [[nodiscard]] bool is_made_here(const std::string& directory) const;
  void forget_below(const std::string& path, bool is_gone);
  [[nodiscard]] bool may_clear(int parent, const std::string& path, bool is_asked_for);
  void remove_others_in(const std::string& directory, const std::function<bool(std::string_view)>& is_wanted,
                        const std::function<bool(std::string_view)>& is_above);

  const RestoreRequest& request_;
  RestoreResult& result_;
  RestoreReport report_;
  RestoreDirectory target_;
  Extractor extractor_;
  std::unique_ptr<FileQueue> queue_;          // null: all files are made on this thread
  bool had_entries_ = false;                  // the target, before: an interrupted restore may have left files of ours
  std::set<std::string> made_in_;             // if so: directories of files that were made
  std::string last_parent_;                   // a directory of which it is known that nothing is in its way
  std::unordered_set<std::size_t> restored_;  // hashes of the paths that this run has made, or is making
  std::unordered_set<std::size_t> kept_;      // hashes of the paths that the backup has
  std::unordered_set<std::size_t> left_;      // hashes of directories whose contents stay
  std::map<std::string, Entry> directories_;  // whose attributes are still to be set
  std::map<std::string, Entry> ways_;         // directories above what is restored
  std::set<std::string> were_there_;          // directories that this run has not made
  std::map<std::string, mode_t> as_they_were_;  // those whose attributes are not to change, with their modes
  std::map<std::string, std::set<std::pair<dev_t, ino_t>>> sources_;  // files that are read, by their names
  std::uint64_t attribute_bytes_ = 0;                                 // of directories_, beyond what is usual
  std::map<std::string, std::shared_ptr<LateSymlink>> symlinks_;      // to be made at the end, by their names
};

}  // namespace autoarchive::tar_internal
