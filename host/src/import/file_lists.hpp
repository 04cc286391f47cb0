/// \file
/// The original's include-files and exclude-files as ours: literal paths below the root, and patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::host {

/// Names between blanks; "double quotes" hold one together. Throws Error(value_error) if a quote is not closed.
[[nodiscard]] std::vector<std::string> split_names(std::string_view text);

struct TranslatedLists {
  std::vector<std::string> include;  ///< normalised, sorted, each once
  std::vector<std::string> exclude;  ///< gitignore's
  std::vector<std::string> doubts;   ///< what has become of entries that can't be taken over as they are
};

/// Shell wildcards, which the original expands below the root and which skip names that begin with a dot, become
/// patterns that say the same. Where none can, everything in the directory is included: rather too much than too
/// little.
[[nodiscard]] TranslatedLists translate_lists(const std::vector<std::string>& include,
                                              const std::vector<std::string>& exclude);

}  // namespace autoarchive::host
