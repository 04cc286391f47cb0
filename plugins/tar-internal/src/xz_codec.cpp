// xz: one stream of blocks that carry their sizes, and the index, by liblzma.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <optional>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
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

/// A size of the dictionary is only believed where its checksum is right: what needs too much is whole.
Error wrong(const FileInput& input, lzma_ret code) {
  if (code != LZMA_MEMLIMIT_ERROR) return damaged(input, error_text(code));
  return {
      ErrorCode::value_error,
      "archive " + quote(input.description()) + ": " + error_text(code) + "; decompress it with xz --decompress first",
      ErrorCause::unsupported};
}

/// What a decoder has found wrong after it has decoded something in the same call: told with the next one, so that what
/// stands before the damage is not lost.
class LateFailure {
 public:
  void throw_if_there() const {
    if (failure_) throw Error(*failure_);
  }
  /// Throws it at once if nothing was `written`.
  void note(const Error& failure, std::size_t written) {
    failure_.emplace(failure);
    if (written == 0) throw_if_there();
  }

 private:
  std::optional<Error> failure_;
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
    failure_.throw_if_there();
    while (!ended_) {
      const auto available = input_.peek();
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = out.size();
      const auto result = lzma_code(&stream_, available.empty() ? LZMA_FINISH : LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      ended_ = result == LZMA_STREAM_END;
      const auto written = out.size() - stream_.avail_out;
      const bool is_cut = result == LZMA_BUF_ERROR && available.empty();
      if (result != LZMA_OK && !ended_)
        failure_.note(is_cut ? damaged(input_, "it is cut short inside of an xz stream") : wrong(input_, result),
                      written);
      if (written != 0) return written;
    }
    return 0;
  }

 private:
  FileInput& input_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  LateFailure failure_;
  bool ended_ = false;
};

bool is_read(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> buffer) {
  return read_or_damage(file, offset, buffer) == buffer.size();
}

/// Blocks of the one stream of a file, or of the first of several, up to its index.
class XzBlockDecoder final : public Decoder {
 public:
  XzBlockDecoder(const ReadableFile& file, FileInput& input, Bytes memory_limit)
      : input_(input), memory_limit_(memory_limit) {
    std::array<std::byte, LZMA_STREAM_HEADER_SIZE> header{};
    lzma_stream_flags flags{};
    const auto decode = [&](std::uint64_t offset, auto decode_flags) {
      try {
        return is_read(file, offset, header) && decode_flags(&flags, bytes(header.data())) == LZMA_OK;
      } catch (const Error& error) {
        if (error.cause() != ErrorCause::damaged) throw;
        return false;
      }
    };
    // The footer says the same, where the header is damaged.
    const auto footer = file.size() - std::min<std::uint64_t>(file.size(), header.size());
    if (!decode(0, lzma_stream_header_decode) && !decode(footer, lzma_stream_footer_decode))
      throw damaged(input_, "header and footer of its xz stream are wrong");
    check_ = flags.check;
  }
  XzBlockDecoder(const XzBlockDecoder&) = delete;
  XzBlockDecoder& operator=(const XzBlockDecoder&) = delete;
  ~XzBlockDecoder() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> out) override {
    failure_.throw_if_there();
    for (;;) {
      const auto available = input_.peek();
      if (available.empty() && inside_block_) throw damaged(input_, "it is cut short inside of an xz block");
      if (!inside_block_) {
        if (available.empty() || available.front() == std::byte{0}) return 0;  // the index
        begin_block(available.front());
        continue;
      }
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = out.size();
      const auto result = lzma_code(&stream_, LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      const auto written = out.size() - stream_.avail_out;
      if (result != LZMA_OK && result != LZMA_STREAM_END) failure_.note(wrong(input_, result), written);
      inside_block_ = result == LZMA_OK;
      if (written != 0) return written;
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
    if (started != LZMA_OK) throw wrong(input_, started);
    inside_block_ = true;
  }

  FileInput& input_;
  Bytes memory_limit_;
  lzma_check check_ = LZMA_CHECK_NONE;
  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters_{};
  lzma_block block_{};  // used by the decoder while it is inside of the block
  lzma_stream stream_ = LZMA_STREAM_INIT;
  LateFailure failure_;
  bool inside_block_ = false;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_xz_format(std::optional<int> strength) {
  return std::make_unique<XzFormat>(static_cast<std::uint32_t>(strength.value_or(kDefaultStrength)));
}

std::unique_ptr<Decoder> make_xz_decoder(FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzDecoder>(input, memory_limit);
}

std::vector<ArchiveBlock> xz_blocks(const ReadableFile& file, Bytes memory_limit) {
  std::array<std::byte, LZMA_STREAM_HEADER_SIZE> footer{};
  lzma_stream_flags flags{};
  const auto end = file.size();
  if (end < 2 * footer.size() || !is_read(file, end - footer.size(), footer) ||
      lzma_stream_footer_decode(&flags, bytes(footer.data())) != LZMA_OK ||
      flags.backward_size > std::min(memory_limit.count, end - footer.size())) {
    return {};
  }
  Buffer text(static_cast<std::size_t>(flags.backward_size));
  if (!is_read(file, end - footer.size() - text.size(), text)) return {};
  auto limit = memory_limit.count;
  std::size_t position = 0;
  lzma_index* decoded = nullptr;
  if (lzma_index_buffer_decode(&decoded, &limit, nullptr, bytes(text.data()), &position, text.size()) != LZMA_OK)
    return {};
  const std::unique_ptr<lzma_index, IndexDeleter> index(decoded);
  if (lzma_index_file_size(index.get()) != end) return {};
  std::vector<ArchiveBlock> blocks;
  lzma_index_iter block;
  lzma_index_iter_init(&block, index.get());
  while (lzma_index_iter_next(&block, LZMA_INDEX_ITER_NONEMPTY_BLOCK) == 0)
    blocks.push_back({block.block.compressed_file_offset, block.block.uncompressed_file_offset});
  return blocks;
}

std::unique_ptr<Decoder> make_xz_block_decoder(const ReadableFile& file, FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzBlockDecoder>(file, input, memory_limit);
}

}  // namespace autoarchive::tar_internal
