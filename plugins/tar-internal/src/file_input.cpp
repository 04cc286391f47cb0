#include "file_input.hpp"

#include <algorithm>
#include <cassert>

namespace autoarchive::tar_internal {
namespace {

/// No more than there is to read; one, so that the end is seen.
std::size_t size_of_buffer(const ReadableFile& file, std::uint64_t offset, std::size_t most) {
  const auto rest = file.size() - std::min(file.size(), offset);
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(rest, 1, most));
}

}  // namespace

FileInput::FileInput(const ReadableFile& file, std::uint64_t offset, std::size_t buffer_bytes)
    : file_(file),
      buffer_bytes_(size_of_buffer(file, offset, buffer_bytes)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes_)),
      offset_(offset) {}

ByteView FileInput::peek() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = file_.read_at(offset_, {buffer_.get(), buffer_bytes_});
    offset_ += end_;
  }
  return ByteView(buffer_.get(), buffer_bytes_).subspan(begin_, end_ - begin_);
}

void FileInput::consume(std::size_t count) {
  assert(count <= end_ - begin_);
  begin_ += count;
}

}  // namespace autoarchive::tar_internal
