/// \file
/// Members of one file of a chain, to be told from others by what their headers say.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {

/// 32 bytes a member.
class KnownMembers {
 public:
  /// What `manifest` has of that level. Throws what a manifest's reader throws.
  KnownMembers(const ReadableFile& manifest, int level);
  /// What a level's own manifest has of it. Throws damaged if that is not whole.
  explicit KnownMembers(const ReadableFile& manifest);

  /// The one with that path, kind, size and time; none for a further name of a file.
  [[nodiscard]] std::optional<KnownMember> find(const ArchiveMember& member) const;

 private:
  struct Line {
    std::uint64_t key = 0;  // a digest of all that is compared
    KnownMember member;
  };
  void load(ManifestReader& reader, int level);
  static std::uint64_t key_of(const Entry& entry);

  std::vector<Line> lines_;  // by key
};

}  // namespace autoarchive::tar_internal
