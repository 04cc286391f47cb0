/// \file
/// Manifests as others make them, or as they should not be.
#pragma once

#include <filesystem>
#include <functional>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::tar_internal {

[[nodiscard]] inline std::filesystem::path manifest_of(std::filesystem::path archive) {
  return archive += ".manifest.zst";
}

/// Each is called with every part of its kind.
struct ManifestChanges {
  std::function<void(ManifestHeader&)> header = [](auto& /*header*/) {};
  std::function<void(ManifestEntry&)> entry = [](auto& /*entry*/) {};
  std::function<void(ManifestClosing&)> closing = [](auto& /*closing*/) {};
};

inline void change_manifest(const std::filesystem::path& manifest, const ManifestChanges& changes) {
  const auto copy = manifest.native() + "2";
  ManifestReader reader(open_local_file(manifest));
  auto header = reader.header();
  auto closing = reader.closing();
  changes.header(header);
  changes.closing(closing);
  const auto sink = create_state_file(copy);
  ManifestWriter writer(*sink, header);
  for (ManifestEntry entry; reader.next(entry);) {
    changes.entry(entry);
    writer.add(entry);
  }
  writer.finish(closing);
  sink->finish();
  std::filesystem::rename(copy, manifest);
}

/// As of a provider that does not know the blocks of its files.
inline void drop_blocks(const std::filesystem::path& manifest) {
  ManifestChanges changes;
  changes.closing = [](auto& closing) { closing.blocks.clear(); };
  change_manifest(manifest, changes);
}

}  // namespace autoarchive::tar_internal
