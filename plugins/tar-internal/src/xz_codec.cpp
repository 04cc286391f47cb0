// xz: one stream of blocks that carry their sizes, and the index, by liblzma.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include "codec.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr int kDefaultStrength = 6;

const char* error_text(lzma_ret code) {
  switch (code) {
    case LZMA_MEM_ERROR:
      return "not enough memory for xz";
    case LZMA_MEMLIMIT_ERROR:
      return "its xz dictionary needs more memory than is allowed";
    case LZMA_FORMAT_ERROR:
      return "something that is no xz stream stands behind its end";
    case LZMA_OPTIONS_ERROR:
      return "it uses xz options that are not supported";
    default:
      return "xz data is wrong";
  }
}

void require(lzma_ret result) {
  if (result != LZMA_OK)
    throw Error(ErrorCode::runtime_error, std::string("xz: ") + error_text(result), ErrorCause::internal);
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
    auto block = make_block(filters_);
    const auto start = out.size();
    out.resize(start + lzma_block_buffer_bound(input.size()));
    std::size_t written = start;
    require(lzma_block_buffer_encode(&block, nullptr, bytes(input.data()), input.size(), bytes(out.data()), &written,
                                     out.size()));
    out.resize(written);
  }

 private:
  Filters filters_;
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

class XzDecoder final : public Decoder {
 public:
  XzDecoder(FileInput& input, Bytes memory_limit) : input_(input) {
    if (lzma_stream_decoder(&stream_, memory_limit.count, LZMA_CONCATENATED) != LZMA_OK) throw std::bad_alloc();
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> out) override {
    while (!ended_) {
      const auto available = input_.peek();
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = out.size();
      const auto result = lzma_code(&stream_, available.empty() ? LZMA_FINISH : LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      ended_ = result == LZMA_STREAM_END;
      if (result == LZMA_BUF_ERROR && available.empty())
        throw damaged(input_, "it is cut short inside of an xz stream");
      if (result != LZMA_OK && !ended_) throw damaged(input_, error_text(result));
      if (const auto written = out.size() - stream_.avail_out; written != 0) return written;
    }
    return 0;
  }

 private:
  FileInput& input_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

/// Blocks of the first stream, up to its index.
class XzBlockDecoder final : public Decoder {
 public:
  XzBlockDecoder(const ReadableFile& file, FileInput& input, Bytes memory_limit)
      : input_(input), memory_limit_(memory_limit) {
    std::array<std::byte, LZMA_STREAM_HEADER_SIZE> header{};
    lzma_stream_flags flags{};
    const bool is_stream =
        file.read_at(0, header) == header.size() && lzma_stream_header_decode(&flags, bytes(header.data())) == LZMA_OK;
    if (!is_stream) throw damaged(input_, "the header of its xz stream is wrong");
    check_ = flags.check;
  }
  XzBlockDecoder(const XzBlockDecoder&) = delete;
  XzBlockDecoder& operator=(const XzBlockDecoder&) = delete;
  ~XzBlockDecoder() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> out) override {
    for (;;) {
      const auto available = input_.peek();
      if (available.empty()) throw damaged(input_, "it is cut short inside of an xz stream");
      if (!inside_block_) {
        if (available.front() == std::byte{0}) return 0;  // the index
        begin_block(available.front());
        continue;
      }
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = out.size();
      const auto result = lzma_code(&stream_, LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      if (result != LZMA_OK && result != LZMA_STREAM_END) throw damaged(input_, error_text(result));
      inside_block_ = result == LZMA_OK;
      if (const auto written = out.size() - stream_.avail_out; written != 0) return written;
    }
  }

 private:
  void begin_block(std::byte first) {
    block_ = lzma_block{};
    block_.version = 1;
    block_.check = check_;
    block_.filters = filters_.data();
    block_.header_size = lzma_block_header_size_decode(std::to_integer<std::uint32_t>(first));
    std::vector<std::byte> header;
    while (header.size() < block_.header_size) {
      const auto available = input_.peek();
      if (available.empty()) throw damaged(input_, "it is cut short inside of an xz block's header");
      const auto count = std::min(available.size(), block_.header_size - header.size());
      header.insert(header.end(), available.begin(), available.begin() + static_cast<std::ptrdiff_t>(count));
      input_.consume(count);
    }
    const auto decoded = lzma_block_header_decode(&block_, nullptr, bytes(header.data()));
    if (decoded != LZMA_OK) throw damaged(input_, error_text(decoded));
    const bool is_too_large = lzma_raw_decoder_memusage(filters_.data()) > memory_limit_.count;
    const auto started = is_too_large ? LZMA_MEMLIMIT_ERROR : lzma_block_decoder(&stream_, &block_);
    for (auto& filter : filters_) {
      if (filter.id == LZMA_VLI_UNKNOWN) break;
      std::free(filter.options);  // allocated by the header's decoder
      filter.options = nullptr;
    }
    if (started != LZMA_OK) throw damaged(input_, error_text(started));
    inside_block_ = true;
  }

  FileInput& input_;
  Bytes memory_limit_;
  lzma_check check_ = LZMA_CHECK_NONE;
  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters_{};
  lzma_block block_{};  // used by the decoder while it is inside of the block
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool inside_block_ = false;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_xz_format(std::optional<int> strength) {
  return std::make_unique<XzFormat>(static_cast<std::uint32_t>(strength.value_or(kDefaultStrength)));
}

std::unique_ptr<Decoder> make_xz_decoder(FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzDecoder>(input, memory_limit);
}

std::unique_ptr<Decoder> make_xz_block_decoder(const ReadableFile& file, FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzBlockDecoder>(file, input, memory_limit);
}

}  // namespace autoarchive::tar_internal
