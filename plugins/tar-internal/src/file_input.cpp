#include "file_input.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_internal {
namespace {

/// No more than there is to read; one, so that the end is seen.
std::size_t size_of_buffer(const ReadableFile& file, std::uint64_t offset, std::size_t most) {
  const auto rest = file.size() - std::min(file.size(), offset);
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(rest, 1, most));
}

/// Bad sectors, and what a file system's checksums find out: other places of the file may be whole.
bool is_of_medium(const Error& error) {
  const int number = error.os_errno();
  return number == EIO || number == EBADMSG || number == EUCLEAN;
}

}  // namespace

std::size_t read_up_to_damage(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> buffer) {
  try {
    return file.read_at(offset, buffer);
  } catch (const Error& error) {
    if (!is_of_medium(error)) throw;
  }
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto at = offset + filled;
    const auto block = buffer.subspan(
        filled, std::min<std::size_t>(buffer.size() - filled, kMediumBlockBytes - at % kMediumBlockBytes));
    try {
      const auto got = file.read_at(at, block);
      filled += got;
      if (got < block.size()) break;
    } catch (const Error& error) {
      if (!is_of_medium(error)) throw;
      if (filled > 0) break;
      throw Error::from_errno(error.os_errno(),
                              "reading " + quote(file.description()) + " at byte " + std::to_string(at),
                              ErrorCause::damaged);
    }
  }
  return filled;
}

std::size_t read_or_damage(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto got = read_up_to_damage(file, offset + filled, buffer.subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

FileInput::FileInput(const ReadableFile& file, std::uint64_t offset, std::size_t buffer_bytes)
    : file_(file),
      buffer_bytes_(size_of_buffer(file, offset, buffer_bytes)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes_)),
      offset_(offset) {}

ByteView FileInput::peek() {
  if (begin_ == end_) {
    begin_ = end_ = 0;  // also if nothing can be read
    end_ = read_up_to_damage(file_, offset_, {buffer_.get(), buffer_bytes_});
    offset_ += end_;
  }
  return ByteView(buffer_.get(), buffer_bytes_).subspan(begin_, end_ - begin_);
}

void FileInput::consume(std::size_t count) {
  assert(count <= end_ - begin_);
  begin_ += count;
}

}  // namespace autoarchive::tar_internal
