/// \file
/// What is checked before anything is written, in the order of the seed.
#pragma once

#include <filesystem>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/backup_request.hpp"

namespace autoarchive {

/// Type, strength against the feature, includes, strength's range, name. Throws Error.
void check_request(const BackupRequest& request, const IArchiverProviderIdentification& provider);
/// Throws value_error (cause unsupported) unless the provider has the type; the same for "not set".
void check_type(const BackupDefinition& definition, const IArchiverProviderIdentification& provider);
/// Throws Error(cause source) if the root is missing, no directory, not readable, or has nothing in it.
void check_root(const std::filesystem::path& root, bool allow_empty);

}  // namespace autoarchive
