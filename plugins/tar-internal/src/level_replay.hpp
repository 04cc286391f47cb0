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
/// of members, by about 150 bytes and the path.
class LevelReplay {
 public:
  struct Place {
    std::uint64_t offset = 0;  ///< of the member's header, as its reader tells it
    std::uint32_t level = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  /// `memory`: for all names that are ever there. What decodes to more than some ten million is hardly a backup.
  explicit LevelReplay(Bytes memory = Bytes{2ULL << 30U}) : memory_(memory) {}

  /// Takes the place of what was at its path; what is no directory, of all below it, too. Throws Error(unsupported)
  /// when the names take more memory than they may.
  void add(const ArchiveMember& member, Place place);
  /// A directory has another name than in the level before; it takes the place of what has that. Throws
  /// Error(unsupported) when renames cost more than the members that they are of make likely.
  void rename(const Rename& rename);
  /// A level's directory lists all that it has: what is not in the list is gone. REQUIRES: it has a list.
  void apply_list(const ArchiveMember& directory);
  /// To be called when all members are there: collects further_names() of those that are wanted, and last_path().
  void name_contents(const std::function<bool(const std::string&)>& is_wanted);

  /// The path at which the last level has the member that was stored at this one; null if it has it no more. Valid
  /// until the tree changes.
  [[nodiscard]] const std::string* last_path(const std::string& path, Place place) const;
  /// Of a path that the last level has: the member with its content, for a hard link that of the file that it was made
  /// to; none if no member was there.
  [[nodiscard]] std::optional<Place> content_of(const std::string& path) const;
  /// The paths of hard links that the last level has to the content of that member, in order.
  [[nodiscard]] const std::vector<std::string>& further_names(Place content) const;

 private:
  static constexpr Place kNowhere{0, static_cast<std::uint32_t>(-1)};
  struct Member {
    Place own;
    Place content = kNowhere;
    bool is_moved = false;  // since it was stored
  };
  using Members = std::map<std::string, Member>;
  static std::string behind(std::string_view directory);
  void erase_below(const std::string& path);

  Members members_;
  Bytes memory_;
  Bytes taken_;  // by members, what is gone included
  std::uint64_t moves_ = 0;
  std::map<Place, std::string> moved_;
  std::map<Place, std::vector<std::string>> further_names_;
};

}  // namespace autoarchive::tar_internal
