/// \file
/// Backups as a provider makes them that does not know the blocks of its files.
#pragma once

#include <filesystem>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::tar_internal {

[[nodiscard]] inline std::filesystem::path manifest_of(std::filesystem::path archive) {
  return archive += ".manifest.zst";
}

/// Takes the table of blocks out of a manifest.
inline void drop_blocks(const std::filesystem::path& manifest) {
  const auto copy = manifest.native() + "2";
  ManifestReader reader(open_local_file(manifest));
  auto closing = reader.closing();
  closing.blocks.clear();
  const auto sink = create_state_file(copy);
  ManifestWriter writer(*sink, reader.header());
  for (ManifestEntry entry; reader.next(entry);) writer.add(entry);
  writer.finish(closing);
  sink->finish();
  std::filesystem::rename(copy, manifest);
}

}  // namespace autoarchive::tar_internal
