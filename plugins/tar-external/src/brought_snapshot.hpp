/// \file
/// A snapshot that another program has left: whether it is that of a backup.
#pragma once

#include <filesystem>
#include <string>

#include "autoarchive/manifest/manifest_reader.hpp"

namespace autoarchive::tar_external {

/// Why the snapshot can't be that of the backup with this manifest, which is read to its end: it is damaged, or does
/// not know what the backup holds. Empty: it can. Throws Error if the manifest can't be read.
[[nodiscard]] std::string fault_of_snapshot(const std::filesystem::path& snapshot, ManifestReader& manifest);

}  // namespace autoarchive::tar_external
