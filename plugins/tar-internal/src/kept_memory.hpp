/// \file
/// What a C library allocates for each block, kept for the next one.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace autoarchive::tar_internal {

/// Stands in for malloc() and free(). The system would otherwise hand out and clear the same megabytes for each block:
/// 5 % of the time of xz and bzip2. A wish that nothing fits ends all that is free. One object a thread.
class KeptMemory {
 public:
  /// Null if there is no memory. The content is whatever was there.
  [[nodiscard]] void* take(std::size_t size) noexcept;
  /// `memory`: from take(), or null.
  void give_back(void* memory) noexcept;
  [[nodiscard]] std::size_t held_bytes() const noexcept;

 private:
  struct Piece {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    bool is_taken = false;
  };
  [[nodiscard]] Piece* best_fit(std::size_t size) noexcept;

  std::vector<Piece> pieces_;  // a handful
};

}  // namespace autoarchive::tar_internal
