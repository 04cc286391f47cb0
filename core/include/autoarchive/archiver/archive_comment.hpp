/// \file
/// What an archive says of itself in the comment of its pax global header, so that it can be recognised without its
/// manifest: "autoarchive archive=home level=1 backup=0b8e… chain=77aa… parent=77aa… provider=tar-internal
/// started=2026-11-24T09:41:00Z root=/home". Of the root, what is not a letter, digit, or one of "/._-" stands as %XX.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// A hint: it never outranks a manifest.
struct ArchiveIdentity {
  std::string archive;
  int level = 0;
  std::string backup_uuid;
  std::string chain_uuid;   ///< of the chain's level 0
  std::string parent_uuid;  ///< empty for level 0
  std::string provider{};   ///< owner of the chain; empty: not said
  SystemTime started{};     ///< when the tree was as it is in this backup; the epoch: not said
  std::string root{};       ///< logical root; empty: not said
  friend bool operator==(const ArchiveIdentity&, const ArchiveIdentity&) = default;
};

[[nodiscard]] AA_EXPORT std::string to_comment(const ArchiveIdentity& identity);
/// None if the comment is not one of ours. Words that are not known are passed over.
[[nodiscard]] AA_EXPORT std::optional<ArchiveIdentity> parse_comment(std::string_view comment);

}  // namespace autoarchive
