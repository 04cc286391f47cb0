/// \file
/// What differs between two points in time, or between one and the live tree.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/sink.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

struct TreeDifference {
  char letter = 'M';  ///< A: only in the second; D: only in the first; M: in both, and differs
  std::string path;
  /// For M: "kind", "content", "size", "mode", "owner", "mtime", "target", "device", "attributes".
  std::vector<std::string> what;
};

/// Called for each difference, in walk order.
using DifferenceReport = std::function<void(const TreeDifference&)>;

/// Writes the content that a backup has of a file, holes as zeros; does not finish the sink.
using StoredContent = std::function<void(const std::string& path, Sink& out)>;

/// What differs between two entries of the same path. Contents are compared by their digests where both have one, else
/// by size and mtime. Pure.
[[nodiscard]] std::vector<std::string> differences_of(const ManifestEntry& first, const ManifestEntry& second);

/// Merges two manifests. Throws what the readers throw.
void compare_manifests(ManifestReader& first, ManifestReader& second, const DifferenceReport& report);

/// Compares a manifest with the tree that the archive's definition describes now. Contents are read where names and
/// stats can't tell, or, with `every_content`, of every file that has a digest. That of a file with holes is not one of
/// its content: where it is another one and nothing else is, `stored` is asked. `unreadable` is told what could not be
/// read. Throws what the reader throws, and Error: cause source if the root can't be entered, cancelled on request.
void compare_with_tree(std::unique_ptr<ManifestReader> manifest, const ArchiveConfig& archive, bool every_content,
                       const StoredContent& stored, const DifferenceReport& report,
                       const std::function<void(std::string_view path, int os_errno)>& unreadable,
                       const std::stop_token& stop);

}  // namespace autoarchive::host
