/// \file
/// Compression: what the writer and the reader of every type have in common. One file a codec, named after it.
///
/// A codec compresses blocks that are independent of each other, so that any number of threads can work, and a reader
/// can begin at any of them. Every stock tool reads the result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "file_input.hpp"

namespace autoarchive::tar_internal {

using Buffer = std::vector<std::byte>;

/// Compresses blocks, each by itself. One object a thread.
class BlockCompressor {
 public:
  BlockCompressor() = default;
  BlockCompressor(const BlockCompressor&) = delete;
  BlockCompressor& operator=(const BlockCompressor&) = delete;
  virtual ~BlockCompressor() = default;

  /// Called in the middle of a block about every second of work; what it throws leaves compress(). Default: nothing.
  void set_stop_check(std::function<void()> check) { stop_check_ = std::move(check); }

  /// Appends `block`, compressed, to `out`. Throws Error, or what the stop check throws.
  virtual void compress(ByteView block, Buffer& out) = 0;

 protected:
  void check_stop() const {
    if (stop_check_) stop_check_();
  }

 private:
  std::function<void()> stop_check_;
};

/// How much of a block a slow codec takes between two stop checks: half a second at its slowest.
inline constexpr std::size_t kStopCheckBytes = 256 * 1024;

/// The frame around the blocks of one file. Used on one thread, in the order of the file.
class CompressedFormat {
 public:
  CompressedFormat() = default;
  CompressedFormat(const CompressedFormat&) = delete;
  CompressedFormat& operator=(const CompressedFormat&) = delete;
  virtual ~CompressedFormat() = default;

  /// Uncompressed bytes of a block; the last one may be shorter.
  [[nodiscard]] virtual std::size_t block_bytes() const noexcept = 0;
  /// The same for the block that begins at `offset` of the uncompressed stream: block_bytes() or less. Blocks of any
  /// size up to block_bytes() are valid; this one is the best compromise of size and parallel work. Thread-safe.
  [[nodiscard]] virtual std::size_t block_bytes_at(std::uint64_t /*offset*/) const noexcept { return block_bytes(); }
  [[nodiscard]] virtual std::unique_ptr<BlockCompressor> make_compressor() const = 0;
  /// What stands before the first block.
  virtual void append_start(Buffer& /*out*/) {}
  /// Told of every block when it has been written.
  virtual void block_written(ByteView /*compressed*/, std::uint64_t /*uncompressed_bytes*/) {}
  /// What stands behind the last block.
  virtual void append_end(Buffer& /*out*/) {}
};

/// Yields the uncompressed bytes of a file, all its members or streams one after the other. Throws Error(value_error,
/// cause damaged) where the file is not what its format wants: wrong checksum, cut short, or something else behind the
/// last member.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  /// Fills `out` as far as possible without waiting for more than one call of the library; 0 only at the end of the
  /// file.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> out) = 0;

  /// Where in the file the part (gzip member, bzip2 stream, zstd frame) begins that the last read() has begun with;
  /// none if it went on in one, or the format does not show it.
  [[nodiscard]] std::optional<std::uint64_t> take_part_begin() noexcept {
    return std::exchange(part_begin_, std::nullopt);
  }
  /// After it has thrown damaged: from which byte of the file on the part may be sought that follows the damaged one,
  /// which may have been read on into it. None if the format does not show it.
  [[nodiscard]] virtual std::optional<std::uint64_t> next_part_from() const noexcept { return next_part_from_; }

 protected:
  void begin_part(std::uint64_t offset) noexcept {
    part_begin_ = offset;
    next_part_from_ = offset + 1;
  }

 private:
  std::optional<std::uint64_t> part_begin_;
  std::optional<std::uint64_t> next_part_from_;
};

/// The type's codec; none for plain tar. `extension` is one of the five types'. `strength` 0..9, or none for the
/// default.
[[nodiscard]] std::unique_ptr<CompressedFormat> make_format(std::string_view extension, std::optional<int> strength);
/// The format's name by the first bytes of a file: "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar", or none.
[[nodiscard]] std::optional<std::string_view> recognise_format(ByteView head);
/// Whether it is one of these names.
[[nodiscard]] bool is_format(std::string_view format);
/// The same of a file. Throws Error(value_error, cause unsupported) that names it if it is none of these.
[[nodiscard]] std::string_view format_of(const ReadableFile& file);
/// For a file of that format. `input` must outlive the decoder.
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(std::string_view format, FileInput& input, Bytes memory_limit);

/// For the rest of a file, from a block on that `input` stands at: what ArchiveBlock records.
[[nodiscard]] std::unique_ptr<Decoder> make_block_decoder(std::string_view format, const ReadableFile& file,
                                                          FileInput& input, Bytes memory_limit);

/// Thrown by decoders: names the file and the place.
[[nodiscard]] Error damaged(const FileInput& input, std::string_view what);

// One pair a codec, each in the codec's own file.
[[nodiscard]] std::unique_ptr<CompressedFormat> make_gzip_format(std::optional<int> strength);
[[nodiscard]] std::unique_ptr<CompressedFormat> make_bzip2_format(std::optional<int> strength);
[[nodiscard]] std::unique_ptr<CompressedFormat> make_xz_format(std::optional<int> strength);
[[nodiscard]] std::unique_ptr<CompressedFormat> make_zstd_format(std::optional<int> strength);
[[nodiscard]] std::unique_ptr<Decoder> make_gzip_decoder(FileInput& input);
[[nodiscard]] std::unique_ptr<Decoder> make_bzip2_decoder(FileInput& input);
[[nodiscard]] std::unique_ptr<Decoder> make_xz_decoder(FileInput& input, Bytes memory_limit);
[[nodiscard]] std::unique_ptr<Decoder> make_zstd_decoder(FileInput& input, Bytes memory_limit);
/// An xz block says less of itself than a stream: the kind of its check stands at the beginning of the file.
/// From a stream on, it is told there.
[[nodiscard]] std::unique_ptr<Decoder> make_xz_block_decoder(const ReadableFile& file, FileInput& input,
                                                             Bytes memory_limit);
/// Begins with a stream, or a block that begins at any bit of the first byte.
[[nodiscard]] std::unique_ptr<Decoder> make_bzip2_block_decoder(const ReadableFile& file, FileInput& input);
/// As much of the beginning of a bzip2 block as tells that it is one.
inline constexpr std::size_t kBzip2PartHeadBytes = 7;
/// The first byte in which a stream or a block of a bzip2 file begins, a block at any of its bits.
[[nodiscard]] std::optional<std::size_t> find_bzip2_part(ByteView bytes);
/// As much of the beginning of an xz block or stream as tells that it is one.
inline constexpr std::size_t kXzPartHeadBytes = 64;
/// Whether a block or a stream of an xz file begins so, by its checksum.
[[nodiscard]] bool is_xz_part(ByteView head);

}  // namespace autoarchive::tar_internal
