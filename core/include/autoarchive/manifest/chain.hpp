/// \file
/// Which manifests belong together: level 0, 1, .. n by parent id and digest, never by file name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"

namespace autoarchive {

/// A backup as its manifest describes it.
struct ChainLink {
  ManifestHeader header;
  ManifestClosing closing;
  std::string file_name;  ///< the archive file's, e.g. "home.2.aa.tar.gz"
};

/// A chain from its level 0 to the wanted backup, in the order of restoring; or what is missing.
struct ResolvedChain {
  std::vector<std::size_t> links;  ///< indices into the links that were given
  /// Empty if the chain is complete; else one line that names the gap, e.g. "level 1 (id 0b8e…) of home.2.tar.gz is
  /// missing".
  std::string gap;
};

/// The chain that ends at `links[target]`. Pure.
[[nodiscard]] AA_EXPORT ResolvedChain resolve_chain(const std::vector<ChainLink>& links, std::size_t target);
/// Indices of all links that can't be restored without `links[target]`, itself not; none if there is a copy of it.
/// Pure.
[[nodiscard]] AA_EXPORT std::vector<std::size_t> dependants_of(const std::vector<ChainLink>& links, std::size_t target);

}  // namespace autoarchive
