#include "sparse_map.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tar_header.hpp"

namespace autoarchive::tar_internal {

std::uint64_t SparseMap::data_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& piece : pieces) sum += piece.length;
  return sum;
}

std::string SparseMap::text() const {
  std::string text = std::to_string(pieces.size()) + "\n";
  for (const auto& piece : pieces) text += std::to_string(piece.offset) + "\n" + std::to_string(piece.length) + "\n";
  text.resize((text.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes, '\0');
  return text;
}

SparseMap read_sparse_map(int fd, std::uint64_t size) {
  SparseMap map;
  const auto end = static_cast<off_t>(size);
  off_t at = 0;
  while (at < end) {
    const auto data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return {};  // read as it is, so that what is wrong with it shows
    if (data < 0 || data >= end) break;         // a hole up to the end
    const auto hole = std::min(::lseek(fd, data, SEEK_HOLE), end);
    if (hole <= data) return {};
    if (data == 0 && hole == end) return {};
    map.pieces.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
    at = hole;
  }
  const bool ends_in_hole = map.pieces.empty() || map.pieces.back().offset + map.pieces.back().length < size;
  if (ends_in_hole) map.pieces.push_back({size, 0});
  return map;
}

}  // namespace autoarchive::tar_internal
