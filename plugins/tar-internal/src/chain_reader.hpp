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

/// Decodes one block for a member, and no more for the next ones as long as they come in the order of the stream and
/// lie close to each other. Not thread-safe.
class ChainReader {
 public:
  /// `levels` must outlive the reader.
  ChainReader(const std::vector<ArchiveLevel>& levels, Bytes decoder_memory);
  ~ChainReader();

  /// The member whose header begins at `offset` of that level's tar stream; its content is what the reader gives next.
  /// Throws Error(cause damaged) if there is none.
  MemberReader& seek(int level, std::uint64_t offset, ArchiveMember& member);
  /// After a reader has thrown: the level's next member is sought anew, and none where the block could not be decoded.
  void forget(int level);

 private:
  struct OpenLevel;
  [[nodiscard]] OpenLevel& open(int level);

  const std::vector<ArchiveLevel>& levels_;
  Bytes decoder_memory_;
  std::vector<std::unique_ptr<OpenLevel>> open_levels_;
};

}  // namespace autoarchive::tar_internal
