// bzip2: streams of one block each, at most 900 kB, by libbz2. It has no cheap form for incompressible data.
#include <bzlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "codec.hpp"
#include "kept_memory.hpp"
#include "late_failure.hpp"
#include "scratch.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr int kDefaultStrength = 9;
constexpr std::size_t kBlockUnit = 100'000;
constexpr std::size_t kReserved =
    20;  // libbz2 takes 19 bytes less into one block; a few bytes more would begin a second

const char* error_text(int code) {
  switch (code) {
    case BZ_DATA_ERROR:
      return "bzip2 data is wrong (its checksum differs)";
    case BZ_DATA_ERROR_MAGIC:
      return "something that is no bzip2 stream stands behind its end";
    case BZ_MEM_ERROR:
      return "not enough memory for bzip2";
    default:
      return "bzip2 data is wrong";
  }
}

void require(int result, int wanted) {
  if (result != wanted)
    throw Error(ErrorCode::runtime_error, std::string("bzip2: ") + error_text(result), ErrorCause::internal);
}

class Bzip2Compressor final : public BlockCompressor {
 public:
  explicit Bzip2Compressor(int units) : units_(units) {}

  void compress(ByteView block, Buffer& out) override {
    // The manual's bound: 1 % and 600 bytes more than the input.
    const auto room = scratch_.at_least(block.size() + block.size() / 100 + 600);
    bz_stream stream{};
    stream.bzalloc = [](void* self, int count, int size) {
      return static_cast<Bzip2Compressor*>(self)->memory_.take(static_cast<std::size_t>(count) *
                                                               static_cast<std::size_t>(size));
    };
    stream.bzfree = [](void* self, void* memory) { static_cast<Bzip2Compressor*>(self)->memory_.give_back(memory); };
    stream.opaque = this;
    stream.next_in = const_cast<char*>(reinterpret_cast<const char*>(block.data()));
    stream.avail_in = static_cast<unsigned>(block.size());
    stream.next_out = reinterpret_cast<char*>(room.data());
    stream.avail_out = static_cast<unsigned>(room.size());
    require(BZ2_bzCompressInit(&stream, units_, 0, 0), BZ_OK);
    const std::unique_ptr<bz_stream, StreamEnd> end(&stream);
    require(BZ2_bzCompress(&stream, BZ_FINISH), BZ_STREAM_END);
    out.insert(out.end(), room.data(), room.data() + stream.total_out_lo32);
  }

 private:
  struct StreamEnd {
    void operator()(bz_stream* stream) const noexcept { BZ2_bzCompressEnd(stream); }
  };

  int units_;
  Scratch scratch_;
  KeptMemory memory_;
};

class Bzip2Format final : public CompressedFormat {
 public:
  explicit Bzip2Format(int units) : units_(units) {}
  [[nodiscard]] std::size_t block_bytes() const noexcept override {
    return kBlockUnit * static_cast<std::size_t>(units_) - kReserved;
  }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    return std::make_unique<Bzip2Compressor>(units_);
  }
  void block_written(ByteView /*compressed*/, std::uint64_t /*uncompressed_bytes*/) override { is_empty_ = false; }
  void append_end(Buffer& out) override {
    if (is_empty_) Bzip2Compressor(units_).compress({}, out);  // a file without a stream is none
  }

 private:
  int units_;
  bool is_empty_ = true;
};

// A block begins with 48 bits, anywhere in a byte.
constexpr std::uint64_t kBlockBegin = 0x314159265359;
constexpr unsigned kBlockBeginBits = 48;

/// At which of the bits of that byte a block begins; none if at none of them.
std::optional<unsigned> bit_of_block(const ReadableFile& file, std::uint64_t offset) {
  std::array<std::byte, kBzip2PartHeadBytes> head{};
  try {
    static_cast<void>(read_or_damage(file, offset, head));
  } catch (const Error& error) {  // it comes out again where it is decoded
    if (error.cause() != ErrorCause::damaged) throw;
  }
  std::uint64_t bits = 0;
  for (const auto byte : head) bits = bits << 8U | std::to_integer<std::uint64_t>(byte);
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((bits >> (8 - bit) & ((std::uint64_t{1} << kBlockBeginBits) - 1)) == kBlockBegin) return bit;
  }
  return std::nullopt;
}

/// A file's bytes as they are, or from one of the bits of its first byte on.
class ShiftedInput {
 public:
  explicit ShiftedInput(FileInput& file) : file_(file) {}

  /// REQUIRES: nothing has been read.
  void begin_at(unsigned bit) { bit_ = bit; }
  [[nodiscard]] ByteView peek() {
    if (bit_ == 0) return file_.peek();
    if (begin_ == shifted_.size()) shift_more();
    return ByteView(shifted_).subspan(begin_);
  }
  void consume(std::size_t count) { bit_ == 0 ? file_.consume(count) : static_cast<void>(begin_ += count); }
  [[nodiscard]] std::uint64_t position() const noexcept { return file_.position() - (shifted_.size() - begin_); }

 private:
  void shift_more() {
    begin_ = 0;
    shifted_.clear();
    auto bytes = file_.peek();
    if (!last_ && !bytes.empty()) {
      last_ = bytes.front();
      file_.consume(1);
      bytes = file_.peek();
    }
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), 1U << 14U));
    if (bytes.empty() && last_) shifted_.push_back(*std::exchange(last_, std::nullopt) << bit_);
    for (const auto byte : bytes) shifted_.push_back(*std::exchange(last_, byte) << bit_ | byte >> (8 - bit_));
    file_.consume(bytes.size());
  }

  FileInput& file_;
  unsigned bit_ = 0;
  std::optional<std::byte> last_;  // read, with bits that are to come
  Buffer shifted_;
  std::size_t begin_ = 0;  // of shifted_
};

/// Streams, or what follows from a block on: then the checksum of the whole stream is found to be wrong at its end.
class Bzip2Decoder final : public Decoder {
 public:
  /// `bit`: at which of the first byte a block begins. None: the input begins with a stream.
  explicit Bzip2Decoder(FileInput& file, std::optional<unsigned> bit = {})
      : file_(file), input_(file), resume_at_(file.position()), first_bit_(bit) {}
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;
  ~Bzip2Decoder() override { end_stream(); }

  std::size_t read(std::span<std::byte> out) override {
    failure_.throw_if_there();
    for (;;) {
      const auto available = input_.peek();
      if (!inside_stream_) {
        if (available.empty()) return 0;
        begin_part(input_.position());
        begin_stream();
        continue;
      }
      // Of a block that gives more than a slice, the last one is had with nothing read but that block.
      if (const auto written = read_slices(out)) return written;
      if (available.empty()) throw damaged(file_, "it is cut short inside of a bzip2 stream");
    }
  }

  [[nodiscard]] std::optional<std::uint64_t> next_part_from() const noexcept override {
    return resume_at_ - std::min<std::uint64_t>(resume_at_, 1);  // it may begin in the last byte that was read
  }

 private:
  void begin_stream() {
    stream_ = bz_stream{};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
    inside_stream_ = true;
    const auto bit = std::exchange(first_bit_, std::nullopt);
    if (!bit) return;
    input_.begin_at(*bit);
    std::array<char, 4> header{'B', 'Z', 'h', '9'};
    stream_.next_in = header.data();
    stream_.avail_in = header.size();
    static_cast<void>(BZ2_bzDecompress(&stream_));  // waits for the block
  }
  void end_stream() {
    if (inside_stream_) BZ2_bzDecompressEnd(&stream_);
    inside_stream_ = false;
  }

  std::size_t read_slices(std::span<std::byte> out) {
    std::size_t written = 0;
    for (bool is_full = true; is_full && inside_stream_ && written < out.size();) {
      const auto slice = out.subspan(written, std::min(out.size() - written, kSliceBytes));
      const auto begin = input_.position();
      const auto available = input_.peek();
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(available.data()));
      stream_.avail_in = static_cast<unsigned>(available.size());
      stream_.next_out = reinterpret_cast<char*>(slice.data());
      stream_.avail_out = static_cast<unsigned>(slice.size());
      const int result = BZ2_bzDecompress(&stream_);
      input_.consume(available.size() - stream_.avail_in);
      is_full = stream_.avail_out == 0;
      if (stream_.avail_out < slice.size()) resume_at_ = begin;
      written += slice.size() - stream_.avail_out;
      if (result == BZ_STREAM_END) {
        end_stream();
      } else if (result != BZ_OK) {
        failure_.note(damaged(file_, error_text(result)), written);
        break;
      }
    }
    return written;
  }

  static constexpr std::size_t kSliceBytes = 16 * 1024;

  FileInput& file_;
  ShiftedInput input_;
  bz_stream stream_{};
  LateFailure failure_;
  // Where the last slice was begun with: behind its block, if it was not the block's first one.
  std::uint64_t resume_at_;
  bool inside_stream_ = false;
  std::optional<unsigned> first_bit_;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_bzip2_format(std::optional<int> strength) {
  return std::make_unique<Bzip2Format>(std::max(1, strength.value_or(kDefaultStrength)));
}

std::unique_ptr<Decoder> make_bzip2_decoder(FileInput& input) {
  return std::make_unique<Bzip2Decoder>(input);
}

std::unique_ptr<Decoder> make_bzip2_block_decoder(const ReadableFile& file, FileInput& input) {
  return std::make_unique<Bzip2Decoder>(input, bit_of_block(file, input.position()));
}

std::optional<std::size_t> find_bzip2_part(ByteView bytes) {
  constexpr auto kBlockMask = (std::uint64_t{1} << kBlockBeginBits) - 1;
  constexpr std::uint64_t kStreamBegin = 0x425A68;  // BZh
  std::uint64_t bits = 0;                           // the last eight bytes
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bits = bits << 8U | std::to_integer<std::uint64_t>(bytes[i]);
    if ((bits & 0xFFFFFFU) == kStreamBegin) return i - 2;
    for (unsigned bit = 0; bit < 8; ++bit) {
      const auto bytes_back = (kBlockBeginBits - 1 + bit) / 8;
      if ((bits >> bit & kBlockMask) == kBlockBegin && bytes_back <= i) return i - bytes_back;
    }
  }
  return std::nullopt;
}

}  // namespace autoarchive::tar_internal
