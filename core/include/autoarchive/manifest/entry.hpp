/// \file
/// What a manifest says: its header, its entries and its closing line. docs/manifest-format.md is the grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive {

/// Version of the format that this program writes; a newer one is refused by name.
inline constexpr int kManifestVersion = 1;

/// First line: which backup this is, and where it stands in its chain.
struct ManifestHeader {
  int version = kManifestVersion;
  std::string backup_uuid;
  std::string archive;  ///< the archive's name, e.g. "home"
  std::string type;     ///< extension of the type, e.g. "tar.gz"
  int level = 0;
  std::string chain_uuid;         ///< the backup_uuid of the chain's level 0
  std::string parent_uuid;        ///< the backup that this level is based on; empty for level 0
  std::string parent_sha256;      ///< digest of the parent's archive file; empty for level 0
  std::string root;               ///< logical root, e.g. "/home"
  std::string provider;           ///< owner of the chain, e.g. "tar-external"
  std::string definition_digest;  ///< of root, type and owner, and what metadata was off (metadata_off.hpp)
  SystemTime started{};
  friend bool operator==(const ManifestHeader&, const ManifestHeader&) = default;
};

/// ManifestHeader::definition_digest of a root, an extension and a provider.
[[nodiscard]] AA_EXPORT std::string definition_digest(std::string_view root, std::string_view type,
                                                      std::string_view provider);

/// Whether the entry is exactly as it was, and has to be looked at again next time.
enum class EntryState : std::uint8_t {
  ok,
  changed,   ///< changed while it was read; stored, and read again next time
  failed,    ///< could not be read; what is known is from an earlier level or from stat alone
  vanished,  ///< listed and then gone
  racy,      ///< as it was, but changed so shortly before it was read that its times could not tell a later change
};

/// Whether the entry is not exactly in the backup.
[[nodiscard]] constexpr bool is_problem(EntryState state) noexcept {
  return state == EntryState::changed || state == EntryState::failed || state == EntryState::vanished;
}

/// One entry of the tree, in walk order.
struct ManifestEntry {
  Entry entry;
  EntryState state = EntryState::ok;
  /// Which backup of the chain holds its content: the level. -1: none does.
  int stored_level = 0;
  /// Where the header of the member with its content begins in that level's uncompressed tar stream; none if the
  /// provider can't know. For a further name of a file: that of the name that was stored.
  std::optional<std::uint64_t> offset;
  /// XXH3-64 of a file's member as it is stored: its content, or of a sparse member the map and the data; none if it
  /// was not computed.
  std::optional<std::uint64_t> digest;
  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

/// A part of the compressed archive that decodes by itself.
struct ArchiveBlock {
  std::uint64_t offset = 0;         ///< in the archive file
  std::uint64_t stream_offset = 0;  ///< in the uncompressed tar stream
  friend bool operator==(const ArchiveBlock&, const ArchiveBlock&) = default;
};

/// Last line: totals and proofs. The counts of entries are filled in by the writer.
struct ManifestClosing {
  std::uint64_t entries = 0;
  std::uint64_t files = 0;
  std::uint64_t content_bytes = 0;  ///< sum of the sizes of all files in the tree
  std::uint64_t problems = 0;       ///< entries for which is_problem() holds
  std::uint64_t archive_bytes = 0;
  std::string archive_sha256;
  std::vector<ArchiveBlock> blocks;  ///< empty: not recorded
  /// What the level before has and this one has not, of a directory only itself: for who restores with a program that
  /// replays no deletions.
  std::vector<std::string> removed;
  bool more_removed = false;  ///< `removed` is not complete: too long, or not recorded
  SystemTime finished{};
  friend bool operator==(const ManifestClosing&, const ManifestClosing&) = default;
};

/// Adds to `closing.removed` what is not below the path that was added last, up to kMaxRemoved paths. REQUIRES: walk
/// order.
AA_EXPORT void add_removed(ManifestClosing& closing, std::string_view path);
inline constexpr std::size_t kMaxRemoved = 1000;

}  // namespace autoarchive
