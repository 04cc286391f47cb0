/// \file
/// RESTORE.txt is one file for all archives of a destination: an introduction, and a section an archive.
#pragma once

#include <string>
#include <string_view>

namespace autoarchive {

/// A section begins with the line "== ARCHIVE ==" and goes up to the next one. `fresh` is the introduction with the new
/// section of `archive`, or without one if nothing of it is left. The result has the introduction of `fresh`, the
/// sections of the other archives as they stand in `old`, and the new one, sorted by name. Pure.
[[nodiscard]] std::string merge_sections(std::string_view old, std::string_view archive, std::string_view fresh);

}  // namespace autoarchive
