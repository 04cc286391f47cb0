/// \file
/// Manifests as tests look at them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "autoarchive/manifest/entry.hpp"

namespace autoarchive::test {

/// Every entry by its path.
[[nodiscard]] std::map<std::string, ManifestEntry> read_manifest(const std::filesystem::path& file);

/// As if its backup had been made long after the last change: no entry is racy any more. Else a test would have to wait
/// for a minute before the next level can trust a file's times.
void settle_manifest(const std::filesystem::path& file);

}  // namespace autoarchive::test
