/// \file
/// Looks through all entries of a manifest.
#pragma once

#include <functional>
#include <memory>

#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::host {

/// Calls `found`, in walk order and on this thread, with each entry for which `is_wanted`, which is called by several
/// threads at the same time. Memory does not grow with the entries, nor with what is found. Throws Error(cause damaged)
/// when it comes upon what is wrong, and what the calls throw.
void search_manifest(std::unique_ptr<ReadableFile> manifest, const std::function<bool(const ManifestEntry&)>& is_wanted,
                     const std::function<void(const ManifestEntry&)>& found);

}  // namespace autoarchive::host
