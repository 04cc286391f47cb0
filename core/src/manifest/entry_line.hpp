/// \file
/// An entry as a line, and back. Grammar: docs/manifest-format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/manifest/entry.hpp"

namespace autoarchive {

/// What a line leaves out because the lines before it in the same frame have said it. Writer and reader keep one each;
/// the first line of a frame is marked, says everything, and lets the reader begin anew.
struct LineContext {
  std::vector<std::string> directories;  ///< paths on the way to the directory that was last seen, outermost first
  std::uint64_t depth = 0;
  bool first_of_frame = true;  ///< the writer's
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;
  std::string user;
  std::string group;

  /// How many of the directories lead to `path`; those that do not are forgotten.
  std::size_t find_parent(std::string_view path);
  /// Remembers what the next line may leave out.
  void remember(const Entry& entry);
};

void append_entry_line(std::string& out, const ManifestEntry& entry, int level, LineContext& context);
/// Throws Error(value_error, cause damaged).
void parse_entry_line(std::string_view line, int level, LineContext& context, ManifestEntry& entry);

}  // namespace autoarchive
