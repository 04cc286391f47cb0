#include "kept_memory.hpp"

#include <algorithm>
#include <new>

namespace autoarchive::tar_internal {

KeptMemory::Piece* KeptMemory::best_fit(std::size_t size) noexcept {
  Piece* best = nullptr;
  for (auto& piece : pieces_) {
    if (!piece.is_taken && piece.size >= size && (best == nullptr || piece.size < best->size)) best = &piece;
  }
  return best;
}

// What is too small now was for smaller blocks, and would only add up.
void KeptMemory::drop_largest_free() noexcept {
  auto largest = pieces_.end();
  for (auto piece = pieces_.begin(); piece != pieces_.end(); ++piece) {
    if (!piece->is_taken && (largest == pieces_.end() || piece->size > largest->size)) largest = piece;
  }
  if (largest != pieces_.end()) pieces_.erase(largest);
}

void* KeptMemory::take(std::size_t size) noexcept try {
  auto* piece = best_fit(size);
  if (piece == nullptr) {
    drop_largest_free();
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

}  // namespace autoarchive::tar_internal
