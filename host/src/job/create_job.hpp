/// \file
/// One archive's backup from its definition to its exit status.
#pragma once

#include "command_line.hpp"
#include "config/config.hpp"
#include "job/create_outcome.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// Runs the archive's hooks, chooses level and provider, holds the archive's locks meanwhile, makes the backup and
/// reports. With --dry-run says what would be done, and no hook runs. Throws Error if nothing was committed.
[[nodiscard]] CreateOutcome create_backup(Session& session, const CreateCommand& command, const ArchiveConfig& archive);

}  // namespace autoarchive::host
