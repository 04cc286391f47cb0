/// \file
/// Which members of which file of a chain make the tree of its last level: what the last level's manifest says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "file_identity.hpp"

namespace autoarchive::tar_internal {

/// For files that can only be read from one end to the other. 40 bytes a member, and the path of those with several
/// names. Filled with add(), then sealed.
class NeededMembers {
 public:
  struct Place {
    std::uint64_t offset = 0;  // of its header in the tar stream
    std::optional<std::uint64_t> digest;
    std::uint64_t size = 0;
    EntryKind kind = EntryKind::file;
    std::uint32_t path_hash = 0;
    /// REQUIRES: the line has an offset.
    [[nodiscard]] static Place of(const ManifestEntry& line) {
      return {*line.offset, line.digest, line.entry.size, line.entry.kind, hash_of(line.entry.path)};
    }
    /// Whether it is that of the line with this path; of a file with several names, that of one of them.
    [[nodiscard]] bool is_named(std::string_view path) const noexcept { return path_hash == hash_of(path); }
    /// Whether the member that begins there may be the one that is needed. The digest does not cover the header, with
    /// the size of a file that ends in a hole.
    [[nodiscard]] bool fits(const ArchiveMember& member) const noexcept {
      return !member.hard_link && member.entry.kind == kind && (kind != EntryKind::file || member.entry.size == size);
    }

   private:
    static std::uint32_t hash_of(std::string_view path) noexcept {
      return static_cast<std::uint32_t>(std::hash<std::string_view>{}(path));
    }
  };
  using LevelOffset = std::pair<int, std::uint64_t>;

  void add(const ManifestEntry& line);
  void seal();
  /// Whether lines have one place, and none of them says that it has several names: an older program's, of files that
  /// became one while it stored them. Then all lines are to be given to name(), in walk order.
  [[nodiscard]] bool have_unnamed() const noexcept { return !unnamed_.empty(); }
  void name(const ManifestEntry& line);

  /// Level and offset of the member that the line's entry is made of: its own, but of a FIFO or device with several
  /// names, of which GNU tar stores each one as a member, that of the first. REQUIRES: the line has an offset.
  [[nodiscard]] LevelOffset place_of(const ManifestEntry& line) const;

  /// The place of a member that is needed of that level; null if it is not.
  [[nodiscard]] const Place* find(int level, std::uint64_t offset) const;
  /// How many members are needed of that level.
  [[nodiscard]] std::uint64_t count(int level) const noexcept;
  [[nodiscard]] bool have_names() const noexcept { return !names_.empty(); }
  /// The first name that was added of an entry with several, none if it has one.
  [[nodiscard]] const std::string* name_at(int level, std::uint64_t offset) const;

  /// Remembers that the member at this place, which is one of find(), is done.
  void note_done(int level, std::uint64_t offset);
  [[nodiscard]] bool is_done(int level, std::uint64_t offset) const;
  [[nodiscard]] bool are_done() const;           ///< all
  [[nodiscard]] bool are_done(int level) const;  ///< all of that level

 private:
  [[nodiscard]] std::size_t index_of(int level, std::uint64_t offset) const;  // the number of places: not needed

  std::vector<std::vector<Place>> levels_;
  std::vector<std::vector<bool>> done_;  // of levels_
  std::map<LevelOffset, std::string> names_;
  std::map<FileIdentity, LevelOffset> special_files_;  // with several names
  std::set<LevelOffset> unnamed_;
};

}  // namespace autoarchive::tar_internal
