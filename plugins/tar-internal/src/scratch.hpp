/// \file
/// Memory for the output of one call, kept for the next.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace autoarchive::tar_internal {

/// What a library writes into before its size is known. Unlike a vector's, the bytes are never set to zero, which costs
/// a quick codec 5 % of its time. One object a thread.
class Scratch {
 public:
  /// Valid until the next call; the content is whatever was there.
  [[nodiscard]] std::span<std::byte> at_least(std::size_t size) {
    if (size > size_) {
      bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
      size_ = size;
    }
    return {bytes_.get(), size_};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace autoarchive::tar_internal
