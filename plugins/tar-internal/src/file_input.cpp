#include "file_input.hpp"

#include <algorithm>
#include <cassert>

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint64_t kMaxBufferBytes = 256 * 1024;

/// No more than there is to read; one, so that the end is seen.
std::size_t buffer_bytes(const ReadableFile& file, std::uint64_t offset) {
  const auto rest = file.size() - std::min(file.size(), offset);
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(rest, 1, kMaxBufferBytes));
}

}  // namespace

FileInput::FileInput(const ReadableFile& file, std::uint64_t offset)
    : file_(file), buffer_(buffer_bytes(file, offset)), offset_(offset) {}

ByteView FileInput::peek() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = file_.read_at(offset_, buffer_);
    offset_ += end_;
  }
  return ByteView(buffer_).subspan(begin_, end_ - begin_);
}

void FileInput::consume(std::size_t count) {
  assert(count <= end_ - begin_);
  begin_ += count;
}

}  // namespace autoarchive::tar_internal
