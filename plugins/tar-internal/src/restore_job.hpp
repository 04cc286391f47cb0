/// \file
/// Restores a chain: what the last level's manifest says, or level after level.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "file_identity.hpp"
#include "known_members.hpp"
#include "level_replay.hpp"
#include "listed_names.hpp"
#include "needed_members.hpp"
#include "target_tree.hpp"

namespace autoarchive::tar_internal {

class ChainReader;
class MemberReader;

/// Of a member for which safe_member_path() has no path.
inline constexpr std::string_view kUnsafeName =
    "its name leads out of the target, or is longer than 64 KiB; it is not restored";

/// What is done with the members.
struct RestoreAim {
  enum class Kind : std::uint8_t {
    make,   ///< they are made below the target
    prove,  ///< they are read and compared, and nothing is made
  };
  Kind kind = Kind::make;
  int only_level = -1;  ///< to prove: only what that level's file holds; the others need not be given. -1: all
};

/// One restore, by the best way that there is:
///
/// - by entry: the manifest of the last level names every entry and its place, and each file can be read from any of
///   its blocks on. Only the blocks with wanted members are decoded.
/// - by member: the manifest names every entry, but a file can be read only from one end to the other. All of it is
///   decoded, and only the members that the last level needs are made.
/// - by level: there is no manifest. All files are read twice, first for what they leave, as later levels replace, and
///   delete by their lists of names; a single file once.
///
/// One bad member does not end the restore of the others. Where a file can't be read on, the rest of it is lost, and by
/// level of all files, unless what lies behind the damage shall be salvaged. Then what a manifest names and is not at
/// its place is sought in all of its file; and files of levels may be missing, so that what the others have is
/// restored. Not thread-safe.
class RestoreJob {
 public:
  /// `request` must outlive the job.
  explicit RestoreJob(const RestoreRequest& request, RestoreAim aim = {});
  RestoreResult run();

 private:
  enum class Way : std::uint8_t { by_entry, by_member, by_level };
  using Paths = std::set<std::string, std::less<>>;
  /// What is known of members that are made, or proven, in the order in which they are read.
  struct AsRead {
    Paths unlinked;  // hard links to what was not there before them
    ListedNames listed;
    std::unordered_set<std::size_t> proven;  // hashes of paths
  };
  /// A chain by level.
  struct Replayed {
    LevelReplay tree;
    const Paths* only = nullptr;                            // if not null: these paths, the others are there
    std::map<LevelReplay::Place, std::string> first_names;  // of contents that have several, once they are restored
  };
  struct ReplayedMember {
    const ArchiveMember& member;
    LevelReplay::Place place;
    bool is_behind_damage = false;
  };
  /// Of each member that is safe to restore.
  using LevelCall = std::function<void(MemberReader&, const ReplayedMember&)>;

  RestoreResult run_to_the_end();
  [[nodiscard]] Way choose_way();
  void for_each_wanted(const std::function<void(const ManifestEntry&)>& call);
  void restore_by_entry();
  void restore_by_member();
  void restore_by_level();
  [[nodiscard]] bool is_to_read(const ArchiveLevel& level) const;
  void restore_as_read(const ArchiveLevel& level, AsRead& all);
  void note_list(const ArchiveMember& directory, AsRead& all);
  void restore_replayed(const Paths* only, bool is_chain);
  [[nodiscard]] LevelReplay replay();
  void report_absent(const LevelReplay& tree, bool is_chain);
  void report(const AbsentNames& absent);
  void restore_last_of(const ArchiveLevel& level, Replayed& replayed);
  void restore_last(ArchiveMember member, LevelReplay::Place place, MemberReader& reader,
                    std::optional<std::uint64_t> digest, Replayed& replayed);
  void restore_further_name(ArchiveMember member, Replayed& replayed);
  void read_level(const ArchiveLevel& level, bool tells, const LevelCall& call);
  void note_increment(const ArchiveMember& member, const MemberReader& reader);
  [[nodiscard]] std::optional<KnownMembers> known_of(const ArchiveLevel& level);
  void note_ways();
  void tell_missing_files(Way way);
  [[nodiscard]] bool has_file_of(int level) const;
  void plan_by_manifest(bool is_by_member);

  [[nodiscard]] const std::string* first_name_of(const ManifestEntry& line) const;
  void note_first_name(const ManifestEntry& line);

  [[nodiscard]] bool can_restore(const ManifestEntry& line);
  void restore_entry(const ManifestEntry& line, ChainReader& chain);
  void restore_content(const ManifestEntry& line, const ArchiveMember& member, ChainReader& chain);
  void restore_all_needed(NeededMembers& needed);
  void restore_needed(int level, NeededMembers& needed);
  void restore_at(int level, const NeededMembers::Place& place, ArchiveMember member, MemberReader& reader,
                  NeededMembers& needed);
  [[nodiscard]] bool has_content(MemberReader& reader, std::uint64_t digest) const;
  void miss(const ManifestEntry& line, std::string_view text);
  void restore_missed();
  void restore_sought(NeededMembers& needed, bool is_damage_told);
  void restore_sought_of(int level, NeededMembers& needed, bool is_damage_told);
  void for_each_needed(const std::function<void(const ManifestEntry&)>& call);
  void restore_further_names(const NeededMembers& needed);
  void report_missing(const NeededMembers& needed);
  void tell_missing(const ManifestEntry& line);
  /// False if its content is not what was stored.
  bool make(const ArchiveMember& member, MemberReader& reader, std::optional<std::uint64_t> digest);
  void extract(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right = {});
  void count(const ArchiveMember& member);
  void tell_progress();
  void check_stop() const;
  [[nodiscard]] bool is_asked_for(std::string_view path) const;
  /// The same, and notes that the backup has it.
  [[nodiscard]] bool is_wanted(std::string_view path);
  [[nodiscard]] bool is_above(std::string_view path) const;
  [[nodiscard]] bool is_in_place_of_found(std::string_view path) const;
  void finish_what_is_there();
  [[nodiscard]] bool makes() const noexcept { return !request_.dry_run && !is_proof(); }
  void problem(std::string_view path, std::string_view text);
  /// An empty path: of a file of the archive, of no single member.
  void damage(std::string_view path, std::string_view text);
  void damage_of_file(const Error& error);

  [[nodiscard]] bool is_proof() const noexcept { return aim_.kind == RestoreAim::Kind::prove; }

  const RestoreRequest& request_;
  RestoreAim aim_;
  RestoreResult result_;
  TargetTree tree_;
  std::vector<bool> found_;    // for each of request_.paths
  bool is_increment_ = false;  // by level: the first file needs one that is not there
  // By member: entries with several names whose content is not what was stored.
  std::set<std::pair<int, std::uint64_t>> wrong_;
  // By member: first names that could not be made, of which the next one is tried.
  std::set<std::string, std::less<>> failed_names_;
  // By entry: the first name of each file that has several, by its member and by what it was.
  std::map<std::pair<int, std::uint64_t>, std::string> first_names_by_place_;
  std::map<FileIdentity, std::string> first_names_by_identity_;
  // By entry, to salvage: what is not at its place, and the hashes of its paths.
  NeededMembers missed_;
  std::unordered_set<std::size_t> missed_paths_;
};

}  // namespace autoarchive::tar_internal
