/// \file
/// Reads single members of a chain's files by their places.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/bytes.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {

/// An empty file stands for one that is missing: no archive is.
[[nodiscard]] bool has_file(const ArchiveLevel& level);

/// Decodes one block for a member, and no more for the next ones as long as they come in the order of the stream and
/// lie close to each other. Not thread-safe.
class ChainReader {
 public:
  /// `levels` must outlive the reader. `ahead`: most members will be read, so that the level 0, the largest, is decoded
  /// by several threads ahead of what is read.
  ChainReader(const std::vector<ArchiveLevel>& levels, Bytes decoder_memory, bool ahead = false);
  ~ChainReader();

  /// The member whose header begins at `offset` of that level's tar stream; its content is what the reader gives next.
  /// Throws Error(cause damaged) if there is none, or no file of that level.
  MemberReader& seek(int level, std::uint64_t offset, ArchiveMember& member);
  /// After a reader has thrown for the member at `offset`: the level's next member is sought anew, and none where the
  /// block could not be decoded. True if the same member may be tried again: whole blocks were decoded ahead, and now
  /// no more than is needed is; or it was a block before the member's that could not be decoded.
  [[nodiscard]] bool forget(int level, std::uint64_t offset);

 private:
  struct OpenLevel;
  [[nodiscard]] OpenLevel& open(int level);
  void start_reader(OpenLevel& open, ArchiveBlock block, std::uint64_t offset);

  const std::vector<ArchiveLevel>& levels_;
  Bytes decoder_memory_;
  bool ahead_;
  std::vector<std::unique_ptr<OpenLevel>> open_levels_;
};

}  // namespace autoarchive::tar_internal
