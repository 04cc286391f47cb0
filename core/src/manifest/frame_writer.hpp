/// \file
/// Text as a row of independent zstd frames, and the footer by which the last one is found.
///
/// The footer is a skippable frame, which `zstd -d` passes over: magic 0x184D2A5A, length 24, then the offset of the
/// last frame and the XXH3-64 of all bytes up to and with that offset (the footer's first 8 left out), 8 bytes
/// little-endian each, and the 8 bytes "aaMANIF1".
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

inline constexpr std::uint32_t kFooterMagic = 0x184D2A5A;
inline constexpr std::string_view kFooterWord = "aaMANIF1";
inline constexpr std::size_t kFooterBytes = 32;

/// Not thread-safe.
class FrameWriter {
 public:
  /// `sink` must outlive the writer.
  explicit FrameWriter(Sink& sink);
  ~FrameWriter();

  /// Where the next frame begins.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  /// Compresses `text` as one frame with a checksum, and writes it.
  void write_frame(std::string_view text);
  void write_footer(std::uint64_t last_frame);

 private:
  struct Compressor;
  Sink& sink_;
  std::unique_ptr<Compressor> compressor_;
  ContentDigest digest_;
  std::uint64_t offset_ = 0;
};

}  // namespace autoarchive
