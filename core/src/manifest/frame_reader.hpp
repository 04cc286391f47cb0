/// \file
/// Reads what FrameWriter has written, line by line, from the beginning or from any frame on.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive {

/// Trusts nothing: throws Error(value_error, cause damaged) that names the file. Memory: one decoder window of at most
/// 8 MiB and one line of at most 32 MiB. Not thread-safe.
class FrameReader {
 public:
  explicit FrameReader(std::shared_ptr<const ReadableFile> file);
  ~FrameReader();

  /// The next line without its end; valid until the next call. False at the end of what is read, which must also be
  /// that of a frame.
  [[nodiscard]] bool next_line(std::string_view& line);
  /// Goes on at the frame that begins at `offset`, and ends before the byte `end`.
  void seek(std::uint64_t offset, std::uint64_t end = std::numeric_limits<std::uint64_t>::max());
  /// After the last line: throws damaged unless every byte of the file was what was written. REQUIRES: no seek().
  void check_whole();
  /// From the footer.
  [[nodiscard]] std::uint64_t last_frame() const;

  [[nodiscard]] std::string description() const { return file_->description(); }
  /// An error about this file.
  [[nodiscard]] Error damaged(std::string_view what) const;

 private:
  struct Decompressor;
  void fill();
  void decompress();

  std::shared_ptr<const ReadableFile> file_;
  std::unique_ptr<Decompressor> decompressor_;
};

/// Throws Error(value_error, cause damaged) unless every byte of the file is the one that FrameWriter has written.
void check_frames(const ReadableFile& file);

}  // namespace autoarchive
