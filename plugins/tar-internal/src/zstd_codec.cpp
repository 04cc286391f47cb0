// zstd: frames of 4 MiB with checksums, and behind them a seek table in a skippable frame (zstd's "seekable format":
// magic 0x184D2A5E, an entry of compressed and uncompressed size for each frame, then their number, a flag byte, and
// the magic 0x8F92EAB1).
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "codec.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kBlockSize = 4U << 20U;
constexpr int kDefaultLevel = 3;
// zstd's levels for strength 0..9: steps that each give a smaller file.
constexpr std::array<int, 10> kLevels{1, 1, 2, 3, 5, 7, 9, 12, 15, 19};
constexpr std::uint32_t kSeekTableMagic = 0x184D2A5E;
constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;

void require(std::size_t result) {
  if (ZSTD_isError(result) == 0) return;
  throw Error(ErrorCode::runtime_error, std::string("zstd: ") + ZSTD_getErrorName(result), ErrorCause::internal);
}

void append_32(Buffer& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift & 0xFFU));
}

struct CompressorDeleter {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct DecompressorDeleter {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

class ZstdCompressor final : public BlockCompressor {
 public:
  explicit ZstdCompressor(int level) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
  }

  void compress(ByteView block, Buffer& out) override {
    const auto start = out.size();
    out.resize(start + ZSTD_compressBound(block.size()));
    const auto size =
        ZSTD_compress2(context_.get(), out.data() + start, out.size() - start, block.data(), block.size());
    require(size);
    out.resize(start + size);
  }

 private:
  std::unique_ptr<ZSTD_CCtx, CompressorDeleter> context_;
};

class ZstdFormat final : public CompressedFormat {
 public:
  explicit ZstdFormat(int level) : level_(level) {}
  [[nodiscard]] std::size_t block_bytes() const noexcept override { return kBlockSize; }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    return std::make_unique<ZstdCompressor>(level_);
  }
  void block_written(ByteView compressed, std::uint64_t uncompressed_bytes) override {
    append_32(table_, static_cast<std::uint32_t>(compressed.size()));
    append_32(table_, static_cast<std::uint32_t>(uncompressed_bytes));
    ++frames_;
  }
  void append_end(Buffer& out) override {
    append_32(out, kSeekTableMagic);
    append_32(out, static_cast<std::uint32_t>(table_.size() + 9));
    out.insert(out.end(), table_.begin(), table_.end());
    append_32(out, frames_);
    out.push_back(std::byte{0});
    append_32(out, kSeekableMagic);
  }

 private:
  int level_;
  Buffer table_;
  std::uint32_t frames_ = 0;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder(FileInput& input, Bytes memory_limit) : input_(input), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
    const int limit = std::clamp(static_cast<int>(std::bit_width(memory_limit.count)) - 1, 10, 31);
    require(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, limit));
  }

  std::size_t read(std::span<std::byte> out) override {
    for (;;) {
      const auto available = input_.peek();
      if (available.empty() && !inside_frame_) return 0;
      ZSTD_inBuffer in{available.data(), available.size(), 0};
      ZSTD_outBuffer target{out.data(), out.size(), 0};
      const auto result = ZSTD_decompressStream(context_.get(), &target, &in);
      input_.consume(in.pos);
      if (ZSTD_isError(result) != 0) throw damaged(input_, ZSTD_getErrorName(result));
      inside_frame_ = result != 0;
      if (target.pos != 0) return target.pos;
      if (available.empty() && inside_frame_) throw damaged(input_, "it is cut short inside of a zstd frame");
    }
  }

 private:
  FileInput& input_;
  std::unique_ptr<ZSTD_DCtx, DecompressorDeleter> context_;
  bool inside_frame_ = false;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_zstd_format(std::optional<int> strength) {
  return std::make_unique<ZstdFormat>(strength ? kLevels.at(static_cast<std::size_t>(*strength)) : kDefaultLevel);
}

std::unique_ptr<Decoder> make_zstd_decoder(FileInput& input, Bytes memory_limit) {
  return std::make_unique<ZstdDecoder>(input, memory_limit);
}

}  // namespace autoarchive::tar_internal
