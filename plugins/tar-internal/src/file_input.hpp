/// \file
/// Reading of archive files of which the medium may give back only parts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

/// Sectors and pages, whatever the medium is: what can't be read is that much, and begins at a multiple of it.
inline constexpr std::size_t kMediumBlockBytes = 4096;

/// As ReadableFile::read_at(), but up to the first block that the medium does not give back, so that less is not the
/// end. Throws Error(os_error, cause damaged) that says where, if that block is the first.
[[nodiscard]] std::size_t read_up_to_damage(const ReadableFile& file, std::uint64_t offset,
                                            std::span<std::byte> buffer);

/// As ReadableFile::read_at(), but throws Error(os_error, cause damaged) that says where if the medium does not give
/// back all of it.
[[nodiscard]] std::size_t read_or_damage(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> buffer);

/// Sequential reading of a stored file, in large pieces. Throws what read_up_to_damage() does. Not thread-safe.
class FileInput {
 public:
  static constexpr std::size_t kBufferBytes = 256 * 1024;

  /// Begins at `offset`. `file` must outlive the input. `buffer_bytes`: read at a time, at most.
  explicit FileInput(const ReadableFile& file, std::uint64_t offset = 0, std::size_t buffer_bytes = kBufferBytes);

  /// The bytes that come next: at least one unless the file has ended.
  [[nodiscard]] ByteView peek();
  /// Passes over `count` of the bytes that peek() has shown.
  void consume(std::size_t count);

  [[nodiscard]] bool at_end() { return peek().empty(); }
  [[nodiscard]] std::uint64_t position() const noexcept { return offset_ - (end_ - begin_); }
  [[nodiscard]] std::string description() const { return file_.description(); }

 private:
  const ReadableFile& file_;
  std::size_t buffer_bytes_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  // in the file, of the byte behind the buffer
};

}  // namespace autoarchive::tar_internal
