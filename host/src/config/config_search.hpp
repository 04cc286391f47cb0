/// \file
/// Where configuration files are, and where state goes by default.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace autoarchive::host {

/// The file that is asked for, or the first of the usual ones that exists, then archives.d/*.yaml beside it. Empty:
/// there is none. Throws Error(cause configuration) if archives.d is there and can't be listed.
[[nodiscard]] std::vector<std::filesystem::path> find_config_files(const ConfigSources& sources);
/// The command line or the environment, where they name the file; else empty.
[[nodiscard]] Origin origin_of_files(const ConfigSources& sources);
[[nodiscard]] std::filesystem::path default_state_dir(const ConfigSources& sources);
/// The variable that it comes from, e.g. "XDG_STATE_HOME"; empty: none.
[[nodiscard]] std::string state_dir_variable(const ConfigSources& sources);
/// Whether the environment names it; then it goes before the configuration.
[[nodiscard]] bool is_state_dir_given(const ConfigSources& sources);

}  // namespace autoarchive::host
