/// \file
/// What can come next on the command line, for a shell that completes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"

namespace autoarchive::host {

/// What fits the last of `words`, which may be empty: commands, options, what an option takes, or `archives`. The first
/// word is the program. Empty where a file name or free text belongs. Pure.
[[nodiscard]] std::vector<std::string> completions(const VerbDescription& commands,
                                                   const std::vector<std::string>& words,
                                                   const std::vector<std::string>& archives);

/// The configuration file that the words name; empty: none. Pure.
[[nodiscard]] std::string named_config(const std::vector<std::string>& words);

/// A script for "bash", "zsh" or "fish" that asks `aa complete`.
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace autoarchive::host
