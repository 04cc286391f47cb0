/// \file
/// Reads archives of which a part is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// A member's first header: decoding begins with `block`, and it stands at `stream_offset` of the tar stream.
struct ReadingPlace {
  ArchiveBlock block;
  std::uint64_t stream_offset = 0;
  /// Else both offsets into the stream count from where the block begins.
  bool is_in_stream = true;
};

/// The first block at or behind `from` (a byte of the file) that looks like a header: in a plain tar at the next
/// multiple of 512, in an xz file in the next block that its index has, else in the next gzip member, bzip2 stream or
/// zstd frame that can be decoded up to one. None if there is none. A member that is an archive itself may be taken for
/// its contents.
[[nodiscard]] std::optional<ReadingPlace> find_member_from(const ReadableFile& file, std::string_view format,
                                                           std::uint64_t from, Bytes decoder_memory);

/// What is done with what read_members_and_salvage() comes upon. What a call throws ends the reading, except for
/// damage.
struct SalvageCalls {
  std::function<void(MemberReader&, const ArchiveMember&)> member;
  /// Reading goes on behind the damage, if there is a member. Throws if it shall not.
  std::function<void(const Error&)> damage;
  /// Where the member begins in the tar stream; none if it is not known. Needed only if offsets of members are, to be
  /// right behind the damage, too: what can't be placed is passed over.
  std::function<std::optional<std::uint64_t>(const ArchiveMember&)> place;
};

/// Every member of a file to its very end. Throws Error: cause unsupported if the file is no archive.
void read_members_and_salvage(const ReadableFile& file, Bytes decoder_memory, const SalvageCalls& calls);

}  // namespace autoarchive::tar_internal
