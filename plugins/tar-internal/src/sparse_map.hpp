/// \file
/// Where the data of a file with holes lies, and its text in GNU's pax sparse format 1.0: the number of pieces, then
/// offset and length of each, a decimal number a line, filled up to a whole block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "autoarchive/base/bytes.hpp"

namespace autoarchive::tar_internal {

/// Each piece takes some 80 bytes of memory while a member is read: of more, the member is not read, and none is
/// stored.
inline constexpr std::size_t kMaxDataPieces = 1U << 19U;

struct DataPiece {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A file's data pieces in order. The last one ends at the file's size, with length 0 if a hole does.
struct SparseMap {
  std::vector<DataPiece> pieces;
  [[nodiscard]] std::uint64_t data_bytes() const noexcept;
  [[nodiscard]] std::string text() const;
};

/// Reads the number of pieces off a map's text, which comes in any parts. Like libarchive it passes over lines that
/// begin with '#'.
class PieceCount {
 public:
  void feed(ByteView text);
  [[nodiscard]] bool is_too_large() const noexcept { return count_ > kMaxDataPieces; }

 private:
  std::uint64_t count_ = 0;  // stays where it has become too large
  bool is_known_ = false;
  bool is_comment_ = false;
  bool is_line_begin_ = true;
};

/// The shortest holes become data until no more than `max_pieces` are left.
void merge_pieces(SparseMap& map, std::size_t max_pieces);

/// Asks the file system for the holes of `fd` up to `size`. Empty pieces: it has none, or can't tell.
[[nodiscard]] SparseMap read_sparse_map(int fd, std::uint64_t size);

}  // namespace autoarchive::tar_internal
