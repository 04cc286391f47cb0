/// \file
/// What is left of a chain of which levels are missing. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"

namespace autoarchive::host {

/// For each level up to that of the entry `target`, an entry that has it, or none: by the id of what is based on it; by
/// that of the chain, where there is one backup of that level only; else the file with its name, if nothing that can be
/// read says which backup it is.
[[nodiscard]] std::vector<std::optional<std::size_t>> salvaged_chain(const BackupCatalog& catalog, std::size_t target);

}  // namespace autoarchive::host
