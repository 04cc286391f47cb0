#include "kept_memory.hpp"

#include <algorithm>
#include <new>
#include <numeric>

namespace autoarchive::tar_internal {

// A piece that is much larger is left for the wish that it was made for, else both would grow.
KeptMemory::Piece* KeptMemory::best_fit(std::size_t size) noexcept {
  Piece* best = nullptr;
  for (auto& piece : pieces_) {
    const bool fits = !piece.is_taken && piece.size >= size && piece.size - size <= size / 4;
    if (fits && (best == nullptr || piece.size < best->size)) best = &piece;
  }
  return best;
}

void* KeptMemory::take(std::size_t size) noexcept try {
  auto* piece = best_fit(size);
  if (piece == nullptr) {
    // What does not fit was for blocks of another size, with all that is free now.
    std::erase_if(pieces_, [](const Piece& one) { return !one.is_taken; });
    pieces_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size, false});
    piece = &pieces_.back();
  }
  piece->is_taken = true;
  return piece->bytes.get();
} catch (const std::bad_alloc&) {  // the library answers with its own error
  return nullptr;
}

void KeptMemory::give_back(void* memory) noexcept {
  const auto piece =
      std::find_if(pieces_.begin(), pieces_.end(), [memory](const Piece& one) { return one.bytes.get() == memory; });
  if (piece != pieces_.end()) piece->is_taken = false;
}

std::size_t KeptMemory::held_bytes() const noexcept {
  return std::accumulate(pieces_.begin(), pieces_.end(), std::size_t{0},
                         [](std::size_t sum, const Piece& one) { return sum + one.size; });
}

}  // namespace autoarchive::tar_internal
