// xz: one stream of blocks that carry their sizes, and the index, by liblzma. xz_decoder.cpp reads them.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "incompressible.hpp"
#include "kept_memory.hpp"
#include "scratch.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr int kDefaultStrength = 6;

// Every thread of a small backup shall have a block, but blocks of 4 MiB cost 4.7 % of size at strength 6, of 12
// MiB 1.2 %: so they begin small, and each is half as long as all before it. The size of the whole is not known before
// its end.
constexpr std::size_t kFirstBlockBytes = std::size_t{4} << 20U;

void require(lzma_ret result) {
  if (result != LZMA_OK)
    throw Error(ErrorCode::runtime_error,
                result == LZMA_MEM_ERROR ? "xz: not enough memory" : "xz: error " + std::to_string(result),
                ErrorCause::internal);
}

std::uint8_t* bytes(std::byte* data) {
  return reinterpret_cast<std::uint8_t*>(data);
}
const std::uint8_t* bytes(const std::byte* data) {
  return reinterpret_cast<const std::uint8_t*>(data);
}

/// LZMA2 with a preset, as liblzma wants it: an array that ends with LZMA_VLI_UNKNOWN.
struct Filters {
  explicit Filters(std::uint32_t preset) {
    if (lzma_lzma_preset(&options, preset))
      throw Error(ErrorCode::runtime_error, "xz: preset is unknown", ErrorCause::internal);
  }
  Filters(const Filters& other) : options(other.options) {}
  Filters& operator=(const Filters&) = delete;

  lzma_options_lzma options{};
  std::array<lzma_filter, 2> list{lzma_filter{LZMA_FILTER_LZMA2, &options}, lzma_filter{LZMA_VLI_UNKNOWN, nullptr}};
};

lzma_block make_block(Filters& filters) {
  lzma_block block{};
  block.version = 0;
  block.check = LZMA_CHECK_CRC64;
  block.filters = filters.list.data();
  return block;
}

class XzCompressor final : public BlockCompressor {
 public:
  explicit XzCompressor(const Filters& filters) : filters_(filters) {}

  void compress(ByteView input, Buffer& out) override {
    auto filters = filters_;
    // The part of a dictionary that lies outside of the block would cost memory, here and wherever it is unpacked.
    filters.options.dict_size = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(input.size(), LZMA_DICT_SIZE_MIN, filters_.options.dict_size));
    auto block = make_block(filters);
    const auto room = scratch_.at_least(lzma_block_buffer_bound(input.size()));
    std::size_t written = 0;
    if (!is_incompressible(input, filters.options.dict_size)) written = encode(block, input, room);
    if (written == 0) {
      block = make_block(filters);
      require(lzma_block_uncomp_encode(&block, bytes(input.data()), input.size(), bytes(room.data()), &written,
                                       room.size()));
    }
    out.insert(out.end(), room.data(), room.data() + written);
  }

 private:
  struct Stream {
    ~Stream() { lzma_end(&stream); }
    lzma_stream stream = LZMA_STREAM_INIT;
  };

  // In pieces, as a block may take ten seconds. The header comes last, when the sizes that it tells are known, into the
  // place that was left for it. 0: the block has no place in `room`.
  std::size_t encode(lzma_block& block, ByteView input, std::span<std::byte> room) {
    block.compressed_size = room.size();
    block.uncompressed_size = input.size();
    require(lzma_block_header_size(&block));
    Stream owner;
    auto& stream = owner.stream;
    stream.allocator = &allocator_;
    require(lzma_block_encoder(&stream, &block));
    stream.next_out = bytes(room.data()) + block.header_size;
    stream.avail_out = room.size() - block.header_size;
    lzma_ret result = LZMA_OK;
    for (auto rest = input; result == LZMA_OK;) {
      check_stop();
      const auto piece = rest.first(std::min(rest.size(), kStopCheckBytes));
      rest = rest.subspan(piece.size());
      stream.next_in = bytes(piece.data());
      stream.avail_in = piece.size();
      const auto action = rest.empty() ? LZMA_FINISH : LZMA_RUN;
      do {
        result = lzma_code(&stream, action);
      } while (result == LZMA_OK && stream.avail_out != 0 && (stream.avail_in != 0 || action == LZMA_FINISH));
      if (stream.avail_out == 0 && result != LZMA_STREAM_END) return 0;
    }
    if (result != LZMA_STREAM_END) require(result);
    require(lzma_block_header_encode(&block, bytes(room.data())));
    return room.size() - stream.avail_out;
  }

  Filters filters_;
  Scratch scratch_;
  KeptMemory memory_;
  lzma_allocator allocator_{[](void* memory, std::size_t count, std::size_t size) {
                              return static_cast<KeptMemory*>(memory)->take(count * size);
                            },
                            [](void* memory, void* piece) { static_cast<KeptMemory*>(memory)->give_back(piece); },
                            &memory_};
};

struct IndexDeleter {
  void operator()(lzma_index* index) const noexcept { lzma_index_end(index, nullptr); }
};

class XzFormat final : public CompressedFormat {
 public:
  explicit XzFormat(std::uint32_t preset) : filters_(preset), index_(lzma_index_init(nullptr)) {
    if (!index_) throw std::bad_alloc();
  }

  // Three dictionaries a block, as xz -T does: smaller ones cost size.
  [[nodiscard]] std::size_t block_bytes() const noexcept override {
    return std::max<std::size_t>(std::size_t{3} * filters_.options.dict_size, 1U << 20U);
  }
  [[nodiscard]] std::size_t block_bytes_at(std::uint64_t offset) const noexcept override {
    return static_cast<std::size_t>(
        std::clamp<std::uint64_t>(offset / 2, std::min(kFirstBlockBytes, block_bytes()), block_bytes()));
  }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    return std::make_unique<XzCompressor>(filters_);
  }

  void append_start(Buffer& out) override {
    const auto flags = stream_flags();
    const auto start = out.size();
    out.resize(start + LZMA_STREAM_HEADER_SIZE);
    require(lzma_stream_header_encode(&flags, bytes(out.data() + start)));
  }

  void block_written(ByteView compressed, std::uint64_t uncompressed_bytes) override {
    auto filters = filters_;
    auto block = make_block(filters);
    std::array<lzma_filter, LZMA_FILTERS_MAX + 1> decoded{};
    block.filters = decoded.data();
    block.header_size = lzma_block_header_size_decode(std::to_integer<std::uint32_t>(compressed.front()));
    require(lzma_block_header_decode(&block, nullptr, bytes(compressed.data())));
    for (const auto& filter : decoded) {
      if (filter.id == LZMA_VLI_UNKNOWN) break;
      std::free(filter.options);  // allocated by the decoder
    }
    require(lzma_index_append(index_.get(), nullptr, lzma_block_unpadded_size(&block), uncompressed_bytes));
  }

  void append_end(Buffer& out) override {
    auto flags = stream_flags();
    flags.backward_size = lzma_index_size(index_.get());
    const auto start = out.size();
    out.resize(start + flags.backward_size + LZMA_STREAM_HEADER_SIZE);
    std::size_t written = start;
    require(lzma_index_buffer_encode(index_.get(), bytes(out.data()), &written, out.size()));
    require(lzma_stream_footer_encode(&flags, bytes(out.data() + written)));
  }

 private:
  static lzma_stream_flags stream_flags() {
    lzma_stream_flags flags{};
    flags.check = LZMA_CHECK_CRC64;
    return flags;
  }

  Filters filters_;
  std::unique_ptr<lzma_index, IndexDeleter> index_;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_xz_format(std::optional<int> strength) {
  return std::make_unique<XzFormat>(static_cast<std::uint32_t>(strength.value_or(kDefaultStrength)));
}

}  // namespace autoarchive::tar_internal
