/// \file
/// What `aa plugins` can do beside listing. Each prints its result and returns the exit status.
#pragma once

#include <filesystem>
#include <string>

#include "exit_status.hpp"
#include "output/json.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// All that is known of one plugin (a file, an id or a name). Throws Error(key_error, cause no_such_backup) if there is
/// none.
[[nodiscard]] ExitStatus inspect_plugin(Session& session, const std::string& plugin, bool no_load);
/// What is wrong with one plugin, or with all if `plugin` is empty; warnings if anything is.
[[nodiscard]] ExitStatus examine_plugins(Session& session, const std::string& plugin);
/// Makes the folder `directory`/`name`. Throws Error(value_error) for a name that can't be one, and what the file
/// system says.
[[nodiscard]] ExitStatus make_plugin(Session& session, const std::string& name, const std::filesystem::path& directory);

/// Runs the conformance tests; failed if one fails. Throws Error(value_error, cause usage) if no test is meant, and
/// what the file system says of the JUnit file.
[[nodiscard]] ExitStatus validate_plugin(Session& session, const PluginsCommand& command);

/// The report as `plugins list --json` shows it.
[[nodiscard]] Json::Object report_json(const PluginReport& report);

/// The report of the plugin that is meant. A file is looked at before all else. Throws as inspect_plugin().
[[nodiscard]] const PluginReport& find_plugin(Session& session, const std::string& plugin, bool no_load);

}  // namespace autoarchive::host
