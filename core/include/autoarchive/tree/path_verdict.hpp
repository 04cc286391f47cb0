/// \file
/// Why a walk takes a path, or leaves it out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"
#include "autoarchive/tree/filter.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive {

enum class PathFate : std::uint8_t {
  taken,
  excluded,           ///< by `rule`, at `place`
  not_included,       ///< no include leads to it
  other_file_system,  ///< below `place`, with one_file_system
  own_file,           ///< our own destination or state, at `place`
  missing,            ///< `place` is not there, or can't be looked at: `rule` says why
};

/// A plain value.
struct PathVerdict {
  PathFate fate = PathFate::taken;
  std::string place;  ///< the path or the directory above it that decides, e.g. "alice/.cache"
  std::string rule;   ///< for people, e.g. "exclude[1] '*.tmp'"; of a taken path the "!" rule that took it back
};

/// Looks at the directories on the way to `path` as a walk would, markers and sizes included, and at nothing else.
/// Throws Error as Walker's constructor does, and value_error for a path that leaves the root.
[[nodiscard]] AA_EXPORT PathVerdict explain_path(const WalkOptions& options, const Filter& filter,
                                                 std::string_view path);

}  // namespace autoarchive
