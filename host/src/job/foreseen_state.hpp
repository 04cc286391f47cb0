/// \file
/// What a provider's state will be when a run has brought back what it lacks; for forecasts, which change nothing.
#pragma once

#include <string>

#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// The highest level that the provider could make if it had nothing but what lies beside the backups in `storage`: it
/// brings that back into a directory that is removed again. 0 if that can't be tried.
[[nodiscard]] int recoverable_level(Session& session, const std::string& provider, const BackupDefinition& definition,
                                    const IStorage& storage);

}  // namespace autoarchive::host
