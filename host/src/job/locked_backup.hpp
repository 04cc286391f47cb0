/// \file
/// One archive's backup under its locks: everything between the hooks.
#pragma once

#include <filesystem>

#include "command_line.hpp"
#include "config/config.hpp"
#include "job/create_outcome.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// Takes the archive's locks, chooses level and provider, makes the backup, and reports and remembers it. What the
/// provider has lost makes it choose again, once. `physical_root`: where the root's files are read; empty: there.
/// Throws Error if nothing was committed.
[[nodiscard]] CreateOutcome make_locked_backup(Session& session, const CreateCommand& command,
                                               const ArchiveConfig& archive,
                                               const std::filesystem::path& physical_root);
/// What would be made. Nothing is locked or written.
[[nodiscard]] CreateOutcome foretell_backup(Session& session, const CreateCommand& command,
                                            const ArchiveConfig& archive);

}  // namespace autoarchive::host
