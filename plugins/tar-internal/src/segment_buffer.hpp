/// \file
/// A growing piece of memory that is written to from its end, and not cleared before.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

#include "autoarchive/base/bytes.hpp"

namespace autoarchive::tar_internal {

/// The bytes of one segment of the tar stream. Keeps its memory when cleared. Not thread-safe.
class SegmentBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ByteView view() const noexcept { return {bytes_.get(), size_}; }

  /// `count` more bytes at the end, with whatever was in that memory. Valid until the next growth.
  std::span<std::byte> grow(std::size_t count);
  void append(ByteView bytes);
  void append_zeros(std::size_t count);
  /// REQUIRES: size <= size().
  void truncate(std::size_t size) noexcept { size_ = size; }
  /// Empty again; memory beyond `kept_bytes` is given back.
  void clear(std::size_t kept_bytes) noexcept;

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace autoarchive::tar_internal
