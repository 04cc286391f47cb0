/// \file
/// Which members make the tree of the last level of a chain without manifests: what its levels say one after the other.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/bytes.hpp"
#include "scanned_entry.hpp"

namespace autoarchive::tar_internal {

/// Filled in the order of the levels and of the members in them, then name_contents(). Its memory grows with the number
/// of members, by about 200 bytes and the path. A call that throws leaves it as it must not be used.
class LevelReplay {
 public:
  struct Place {
    std::uint64_t key = 0;  ///< tells the members of a level from each other, e.g. the offset of the header
    std::uint32_t level = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  /// `memory`: for all names. What decodes to more than some ten million is hardly a backup. `max_moves`: how many
  /// names below renamed directories all renames may go through.
  explicit LevelReplay(Bytes memory = Bytes{2ULL << 30U}, std::uint64_t max_moves = 10'000'000)
      : memory_(memory), max_moves_(max_moves) {}

  /// Takes the place of what was at its path; what is no directory, of all below it, too. Throws Error(unsupported)
  /// when the names take more memory than they may.
  void add(const ArchiveMember& member, Place place);
  /// Directories have other names than in the level before; each takes the place of what has that. What is renamed, and
  /// to what, has to be apart from each other: where a name comes twice, or is below another one, GNU tar itself
  /// replays its records to something else than was there. Then, or if something else than a directory is renamed, or
  /// the names below them are beyond all measure, throws Error(unsupported). `is_whole`: so it does if there is nothing
  /// of that name.
  void rename(const std::vector<Rename>& renames, bool is_whole);
  /// A level's directory lists all that it has: what is not in the list is gone. `unstored`, sorted: what of it an
  /// earlier level has to have. REQUIRES: it has a list; renames of this level, and lists above it, were before it.
  void apply_list(const ArchiveMember& directory, const std::vector<std::string>& unstored);
  /// To be called when all members are there: collects further_names() of those that are wanted, and last_path().
  void name_contents(const std::function<bool(const std::string&)>& is_wanted);

  /// The path at which the last level has the member that was stored at this one; null if it has it no more. Valid
  /// until the tree changes.
  [[nodiscard]] const std::string* last_path(const std::string& path, Place place) const;
  /// Of a path that the last level has: the member with its content, for a hard link that of the file that it was made
  /// to; none if no member was there, or a directory.
  [[nodiscard]] std::optional<Place> content_of(const std::string& path) const;
  /// The paths of hard links that the last level has to the content of that member, in order.
  [[nodiscard]] const std::vector<std::string>& further_names(Place content) const;
  /// What the last level lists, and no member came for; `is_stored`: a level says that an earlier one has it. Else it
  /// is a socket, could not be read, or is in a level that is not there.
  void for_each_absent(const std::function<void(const std::string& path, bool is_stored)>& call) const;
  /// In the order of bytes: one before what is below it.
  void for_each_directory(const std::function<void(const std::string& path, const Timestamp& mtime)>& call) const;

 private:
  static constexpr Place kNowhere{0, static_cast<std::uint32_t>(-1)};
  struct Member {
    Place own = kNowhere;  // nowhere: it is listed, and no member came
    Place content = kNowhere;
    Timestamp mtime;
    bool is_directory = false;
    bool is_moved = false;   // since it was stored
    bool is_stored = false;  // if it is only listed: as stored before
  };
  using Members = std::map<std::string, Member, std::less<>>;
  static std::string behind(std::string_view directory);
  static void require_apart(const std::vector<Rename>& renames);
  Members::iterator erase(Members::iterator begin, Members::iterator end);
  void erase_below(const std::string& path);
  void erase_files_above(const std::string& path);
  void move(const Rename& rename);
  void note_listed(const std::string& path, bool is_stored);
  void take(std::uint64_t bytes);

  Members members_;
  Bytes memory_;
  Bytes taken_;
  std::uint64_t max_moves_;
  std::uint64_t moves_ = 0;
  std::string last_parent_;  // of the last member: nothing but directories is above what is in it
  std::map<Place, std::string> moved_;
  std::map<Place, std::vector<std::string>> further_names_;
};

}  // namespace autoarchive::tar_internal
