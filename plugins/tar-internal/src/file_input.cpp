#include "file_input.hpp"

#include <cassert>

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

}  // namespace

FileInput::FileInput(const ReadableFile& file, std::uint64_t offset)
    : file_(file), buffer_(kBufferBytes), offset_(offset) {}

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
