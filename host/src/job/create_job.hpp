/// \file
/// One archive's backup from its definition to its exit status.
#pragma once

#include <optional>
#include <string>

#include "command_line.hpp"
#include "config/config.hpp"
#include "exit_status.hpp"
#include "output/json.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// What came of one archive.
struct CreateOutcome {
  ExitStatus status = ExitStatus::ok;
  std::string result;  ///< ok, warnings, held, dry_run
  int level = 0;
  std::string file;       ///< path of the new backup
  Json::Object document;  ///< its part of the --json document
};

/// Runs the archive's hooks, chooses level and provider, holds the archive's locks meanwhile, makes the backup and
/// reports. With --dry-run says what would be done, and no hook runs. Throws Error if nothing was committed.
[[nodiscard]] CreateOutcome create_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive);

}  // namespace autoarchive::host
