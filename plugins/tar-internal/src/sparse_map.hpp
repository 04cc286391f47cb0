/// \file
/// Where the data of a file with holes lies, and its text in GNU's pax sparse format 1.0: the number of pieces, then
/// offset and length of each, a decimal number a line, filled up to a whole block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autoarchive::tar_internal {

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

/// Asks the file system for the holes of `fd` up to `size`. Empty pieces: it has none, or can't tell.
[[nodiscard]] SparseMap read_sparse_map(int fd, std::uint64_t size);

}  // namespace autoarchive::tar_internal
