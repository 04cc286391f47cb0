/// \file
/// Reads archives of which a part is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// Whether it says that what was read is damaged. What is flipped may look like something that is not supported.
[[nodiscard]] bool is_damage(const Error& error);

/// Where a manifest says that a member begins in the tar stream, and the digest of its content.
struct KnownMember {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> digest;
};

/// What is done with what read_members_and_salvage() comes upon. What a call throws ends the reading, but for damage.
struct SalvageCalls {
  std::function<void(MemberReader&, const ArchiveMember&)> member;
  /// The file can't be read on, or is no archive by its beginning. Reading goes on where the next member can be found,
  /// unless this throws.
  std::function<void(const Error&)> damage;
  /// For callers that look members up by their offsets, which nothing tells in the middle of a compressed file: what a
  /// manifest knows of this member. What lies between the damage and the first known member is passed over. Null: the
  /// caller looks nothing up, or not by offset.
  std::function<std::optional<KnownMember>(const ArchiveMember&)> known;
  /// Who an ACL names is who has the number beside the name.
  bool owners_by_number = false;
  /// Called again and again; throws if it shall end.
  std::function<void()> check_stop;
};

/// Every member of a file to its very end. Behind damage reading goes on at the next block that looks like a header: in
/// a plain tar at any byte, else in the next gzip member, bzip2 block, xz block, or zstd frame that can be decoded up
/// to one. What such a header begins may be a member of an archive that is a member itself, and its name may be
/// incomplete. Time is linear in what the file decodes to. Throws Error: cause unsupported if the file is no archive,
/// neither by its content nor by its name.
void read_members_and_salvage(const ReadableFile& file, Bytes decoder_memory, const SalvageCalls& calls);

}  // namespace autoarchive::tar_internal
