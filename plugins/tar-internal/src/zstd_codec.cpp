// zstd: frames of 4 MiB with checksums, and behind them a seek table in a skippable frame (zstd's "seekable format":
// magic 0x184D2A5E, an entry of compressed and uncompressed size for each frame, then their number, a flag byte, and
// the magic 0x8F92EAB1).
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "codec.hpp"
#include "incompressible.hpp"
#include "scratch.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kMaxFrameHeaderBytes = 18;  // RFC 8878, 3.1.1: magic number, descriptor, window, ID, size
constexpr std::size_t kBlockSize = 4U << 20U;
constexpr int kDefaultStrength = 3;
struct Effort {
  int level;          // of zstd
  int hash_log = 0;   // 0: as the level has it
  int chain_log = 0;  // likewise
};
// For strength 0..9. Measured on kernel sources: MB/s of a thread and size in % of the input; up to strength 3 with two
// threads at once, above with one. The tables of level 3 have 512 and 256 KiB; smaller ones stay in
// the core's cache: 8 % faster and 1 % larger at strength 3 (20 % faster on libraries and programs); at strength 2 as
// fast as level 2, and 4 % smaller.
constexpr std::array<Effort, 10> kEfforts{{
    {1},          // 348, 22.6
    {1},          //
    {3, 16, 13},  // 287, 20.4; level 2: 291, 21.3
    {3, 16, 15},  // 280, 20.2; level 3 as it is: 259, 20.0
    {5},          // 107, 20.6
    {7},          // 67, 19.4
    {9},          // 50, 19.1
    {11},         // 22, 18.8; the next three levels gain 1 %, and take three times as long
    {16},         // 3.9, 17.3
    {19}          // 1.9, 16.9
}};
// Below this level zstd passes over incompressible data at 700 MB/s by itself, above at 350 down to 6.
constexpr int kFirstSlowLevel = 4;
constexpr int kQuickLevel = 1;
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
  explicit ZstdCompressor(Effort effort) : context_(ZSTD_createCCtx()), effort_(effort) {
    if (!context_) throw std::bad_alloc();
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_hashLog, effort.hash_log));
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_chainLog, effort.chain_log));
  }

  void compress(ByteView block, Buffer& out) override {
    const bool is_hopeless = is_slow() && is_incompressible(block, block.size());
    require(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, is_hopeless ? kQuickLevel : effort_.level));
    const auto room = scratch_.at_least(ZSTD_compressBound(block.size()));
    out.insert(out.end(), room.data(), room.data() + encode(block, room));
  }

 private:
  [[nodiscard]] bool is_slow() const noexcept { return effort_.level >= kFirstSlowLevel; }

  // In pieces where a block may take some seconds; where it doesn't in one, which zstd then reads where it lies.
  std::size_t encode(ByteView block, std::span<std::byte> room) {
    require(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
    require(ZSTD_CCtx_setPledgedSrcSize(context_.get(), block.size()));
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    std::size_t left = 1;
    while (left != 0) {
      check_stop();
      const auto piece = block.first(std::min(block.size(), is_slow() ? kStopCheckBytes : block.size()));
      block = block.subspan(piece.size());
      ZSTD_inBuffer in{piece.data(), piece.size(), 0};
      const auto mode = block.empty() ? ZSTD_e_end : ZSTD_e_continue;
      do {
        left = ZSTD_compressStream2(context_.get(), &out, &in, mode);
        require(left);
      } while (in.pos < in.size || (mode == ZSTD_e_end && left != 0));
      if (mode == ZSTD_e_continue) left = 1;
    }
    return out.pos;
  }

  std::unique_ptr<ZSTD_CCtx, CompressorDeleter> context_;
  Effort effort_;
  Scratch scratch_;
};

class ZstdFormat final : public CompressedFormat {
 public:
  explicit ZstdFormat(Effort effort) : effort_(effort) {}
  [[nodiscard]] std::size_t block_bytes() const noexcept override { return kBlockSize; }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    return std::make_unique<ZstdCompressor>(effort_);
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
  Effort effort_;
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
      if (!inside_frame_) begin_frame(available.front());
      ZSTD_inBuffer in{available.data(), available.size(), 0};
      ZSTD_outBuffer target{out.data(), out.size(), 0};
      const auto result = ZSTD_decompressStream(context_.get(), &target, &in);
      note_header(available.first(in.pos));
      input_.consume(in.pos);
      if (ZSTD_isError(result) != 0) throw damaged(input_, ZSTD_getErrorName(result));
      inside_frame_ = result != 0;
      frame_bytes_ += target.pos;
      if (!inside_frame_) check_size();
      if (target.pos != 0) return target.pos;
      if (available.empty() && inside_frame_) throw damaged(input_, "it is cut short inside of a zstd frame");
    }
  }

 private:
  // libzstd may be built to read what zstd wrote before 0.8, whose frames RFC 8878 does not know, and which it decodes
  // or refuses depending on the pieces.
  void begin_frame(std::byte first) {
    const bool is_skippable = (first & std::byte{0xF0}) == std::byte{0x50};
    if (first != std::byte{0x28} && !is_skippable) throw damaged(input_, "what follows is no zstd frame");
    begin_part(input_.position());
    header_bytes_ = 0;
    frame_bytes_ = 0;
  }
  void note_header(ByteView consumed) {
    const auto count = std::min(consumed.size(), header_.size() - header_bytes_);
    std::copy_n(consumed.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(header_bytes_));
    header_bytes_ += count;
  }
  // libzstd compares the two except where a frame is decoded in pieces and its last block is an empty one.
  void check_size() const {
    const auto told = ZSTD_getFrameContentSize(header_.data(), header_bytes_);
    const bool is_told = told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR;
    if (is_told && told != frame_bytes_) throw damaged(input_, "a zstd frame has not the size that it tells");
  }

  FileInput& input_;
  std::unique_ptr<ZSTD_DCtx, DecompressorDeleter> context_;
  bool inside_frame_ = false;
  std::array<std::byte, kMaxFrameHeaderBytes> header_{};
  std::size_t header_bytes_ = 0;
  std::uint64_t frame_bytes_ = 0;  // decoded of it
};

}  // namespace

std::unique_ptr<CompressedFormat> make_zstd_format(std::optional<int> strength) {
  return std::make_unique<ZstdFormat>(kEfforts.at(static_cast<std::size_t>(strength.value_or(kDefaultStrength))));
}

std::unique_ptr<Decoder> make_zstd_decoder(FileInput& input, Bytes memory_limit) {
  return std::make_unique<ZstdDecoder>(input, memory_limit);
}

}  // namespace autoarchive::tar_internal
