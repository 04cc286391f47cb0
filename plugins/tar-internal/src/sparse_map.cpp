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

void PieceCount::feed(ByteView text) {
  for (const auto byte : text) {
    if (is_known_ || is_too_large()) return;
    const auto character = std::to_integer<char>(byte);
    if (is_line_begin_) is_comment_ = character == '#';
    is_line_begin_ = character == '\n';
    if (is_comment_) continue;
    if (character < '0' || character > '9') {
      is_known_ = true;
    } else {
      count_ = count_ * 10 + static_cast<std::uint64_t>(character - '0');
    }
  }
}

void merge_pieces(SparseMap& map, std::size_t max_pieces) {
  auto& pieces = map.pieces;
  for (std::uint64_t shortest = 4096; pieces.size() > max_pieces; shortest *= 2) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      auto& last = pieces[kept];
      if (pieces[i].offset - (last.offset + last.length) > shortest) {
        pieces[++kept] = pieces[i];
      } else {
        last.length = pieces[i].offset + pieces[i].length - last.offset;
      }
    }
    pieces.resize(kept + 1);
  }
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
  merge_pieces(map, kMaxDataPieces);
  return map;
}

}  // namespace autoarchive::tar_internal
