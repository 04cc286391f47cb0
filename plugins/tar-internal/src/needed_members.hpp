/// \file
/// Which members of which file of a chain make the tree of its last level: what the last level's manifest says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/manifest/entry.hpp"

namespace autoarchive::tar_internal {

/// For files that can only be read from one end to the other. 24 bytes a member. Filled with add(), then sealed.
class NeededMembers {
 public:
  struct Place {
    std::uint64_t offset = 0;  // of its header in the tar stream
    std::optional<std::uint64_t> digest;
  };

  void add(const ManifestEntry& line);
  void seal();

  /// The place of a member that is needed of that level; null if it is not. A further name of a file has none, see
  /// is_link().
  [[nodiscard]] const Place* find(int level, std::uint64_t offset) const;
  /// Remembers that a place that find() has given was found in the file.
  void note_found(int level, const Place& place);
  [[nodiscard]] bool was_found(int level, const Place& place) const;
  [[nodiscard]] bool are_found() const;  ///< all
  /// How many members are needed of that level.
  [[nodiscard]] std::uint64_t count(int level) const noexcept;
  /// Whether the entry of this path has several names and its content in that level.
  [[nodiscard]] bool is_link(int level, std::string_view path) const;

 private:
  [[nodiscard]] std::size_t index_of(int level, const Place& place) const;

  std::vector<std::vector<Place>> levels_;
  std::vector<std::vector<bool>> found_;  // of levels_
  std::unordered_set<std::size_t> links_;
};

}  // namespace autoarchive::tar_internal
