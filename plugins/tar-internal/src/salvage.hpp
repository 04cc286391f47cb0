/// \file
/// Where a damaged archive that has no manifest can be read again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

/// A member's first header: decoding begins with `block`, and it stands at `stream_offset` of what is decoded.
struct ReadingPlace {
  ArchiveBlock block;
  std::uint64_t stream_offset = 0;
};

/// The first block behind `after` (a byte of the file) that looks like a header: in a plain tar at the next multiple of
/// 512, else in the next gzip member, bzip2 stream or zstd frame that can be decoded up to one. None if there is none;
/// the blocks of xz can't be told without the index. A member that is an archive itself may be taken for its contents.
[[nodiscard]] std::optional<ReadingPlace> find_member_behind(const ReadableFile& file, std::string_view format,
                                                             std::uint64_t after, Bytes decoder_memory);

}  // namespace autoarchive::tar_internal
