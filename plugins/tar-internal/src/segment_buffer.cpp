#include "segment_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace autoarchive::tar_internal {

std::span<std::byte> SegmentBuffer::grow(std::size_t count) {
  if (count > capacity_ - size_) {
    const auto capacity = std::max(size_ + count, capacity_ + capacity_ / 2);
    auto* const moved = static_cast<std::byte*>(std::realloc(bytes_.get(), capacity));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(bytes_.release());
    bytes_.reset(moved);
    capacity_ = capacity;
  }
  const std::span<std::byte> room(bytes_.get() + size_, count);
  size_ += count;
  return room;
}

void SegmentBuffer::append(ByteView bytes) {
  if (bytes.empty()) return;
  std::memcpy(grow(bytes.size()).data(), bytes.data(), bytes.size());
}

void SegmentBuffer::append_zeros(std::size_t count) {
  if (count != 0) std::memset(grow(count).data(), 0, count);
}

void SegmentBuffer::clear(std::size_t kept_bytes) noexcept {
  size_ = 0;
  if (capacity_ <= kept_bytes) return;
  bytes_.reset();
  capacity_ = 0;
}

}  // namespace autoarchive::tar_internal
