// bzip2: streams of one block each, at most 900 kB, by libbz2. It has no cheap form for incompressible data.
#include <bzlib.h>

#include <algorithm>
#include <array>
#include <new>

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

class Bzip2Decoder final : public Decoder {
 public:
  explicit Bzip2Decoder(FileInput& input) : input_(input) {}
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
      }
      if (available.empty()) throw damaged(input_, "it is cut short inside of a bzip2 stream");
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(available.data()));
      stream_.avail_in = static_cast<unsigned>(available.size());
      stream_.next_out = reinterpret_cast<char*>(out.data());
      stream_.avail_out = static_cast<unsigned>(std::min<std::size_t>(out.size(), 1U << 30U));
      const auto room = stream_.avail_out;
      const int result = BZ2_bzDecompress(&stream_);
      input_.consume(available.size() - stream_.avail_in);
      const auto written = room - stream_.avail_out;
      if (result == BZ_STREAM_END) {
        end_stream();
      } else if (result != BZ_OK) {
        failure_.note(damaged(input_, error_text(result)), written);
      }
      if (written != 0) return written;
    }
  }

 private:
  void begin_stream() {
    stream_ = bz_stream{};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
    inside_stream_ = true;
  }
  void end_stream() {
    if (inside_stream_) BZ2_bzDecompressEnd(&stream_);
    inside_stream_ = false;
  }

  FileInput& input_;
  bz_stream stream_{};
  LateFailure failure_;
  bool inside_stream_ = false;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_bzip2_format(std::optional<int> strength) {
  return std::make_unique<Bzip2Format>(std::max(1, strength.value_or(kDefaultStrength)));
}

std::unique_ptr<Decoder> make_bzip2_decoder(FileInput& input) {
  return std::make_unique<Bzip2Decoder>(input);
}

}  // namespace autoarchive::tar_internal
