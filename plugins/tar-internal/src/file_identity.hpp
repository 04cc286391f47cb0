/// \file
/// By what names of one file are known where their places do not tell.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "autoarchive/manifest/entry.hpp"

namespace autoarchive::tar_internal {

/// Device, inode, ctime, size and digest: names that agree in these were one file. Inode and device alone may be those
/// of another day, and a file that took the place of one of its names is told by its content.
using FileIdentity = std::tuple<std::uint64_t, std::uint64_t, Timestamp, std::uint64_t, std::optional<std::uint64_t>>;

/// REQUIRES: the inode is known, which is not 0.
[[nodiscard]] inline FileIdentity identity_of(const ManifestEntry& line) {
  const auto& entry = line.entry;
  return {entry.device, entry.inode, entry.ctime, entry.size, line.digest};
}

/// Of a directory, the links are no names.
[[nodiscard]] inline bool has_further_names(const Entry& entry) noexcept {
  return entry.link_count > 1 && entry.kind != EntryKind::directory;
}

}  // namespace autoarchive::tar_internal
