// Reading of xz, by liblzma: streams of blocks, from their beginnings or from a block on.
#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "codec.hpp"
#include "late_failure.hpp"

namespace autoarchive::tar_internal {
namespace {

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

std::uint8_t* bytes(std::byte* data) {
  return reinterpret_cast<std::uint8_t*>(data);
}
const std::uint8_t* bytes(const std::byte* data) {
  return reinterpret_cast<const std::uint8_t*>(data);
}

/// A size of the dictionary is only believed where its checksum is right: what needs too much is whole.
Error wrong(const FileInput& input, lzma_ret code) {
  if (code != LZMA_MEMLIMIT_ERROR) return damaged(input, error_text(code));
  return {
      ErrorCode::value_error,
      "archive " + quote(input.description()) + ": " + error_text(code) + "; decompress it with xz --decompress first",
      ErrorCause::unsupported};
}

struct IndexHashDeleter {
  void operator()(lzma_index_hash* hash) const noexcept { lzma_index_hash_end(hash, nullptr); }
};

constexpr std::size_t kCrcBytes = 4;  // at the end of a block's header
constexpr std::byte kIndexBegin{0};
constexpr std::byte kStreamBegin{0xFD};  // no block's header begins so: the bits of its next byte are not allowed there

/// Streams, one after the other, of which the first may lack what stands before a block.
class XzDecoder final : public Decoder {
 public:
  /// `check`: of the blocks that come first. None: the input begins with a stream.
  XzDecoder(FileInput& input, Bytes memory_limit, std::optional<lzma_check> check)
      : input_(input), memory_limit_(memory_limit), first_check_(check), inside_stream_(check.has_value()) {
    flags_.check = check.value_or(LZMA_CHECK_NONE);
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> out) override {
    failure_.throw_if_there();
    while (inside_block_ || begin_next_block()) {
      const auto available = peek("block");
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      stream_.next_out = bytes(out.data());
      stream_.avail_out = out.size();
      const auto result = lzma_code(&stream_, LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      const auto written = out.size() - stream_.avail_out;
      if (result != LZMA_OK && result != LZMA_STREAM_END) failure_.note(wrong(input_, result), written);
      inside_block_ = result == LZMA_OK;
      if (result == LZMA_STREAM_END && index_hash_) {
        check(lzma_index_hash_append(index_hash_.get(), lzma_block_unpadded_size(&block_), block_.uncompressed_size));
      }
      if (written != 0) return written;
    }
    return 0;
  }

 private:
  /// At least one byte.
  [[nodiscard]] ByteView peek(const char* part) {
    const auto available = input_.peek();
    if (available.empty()) throw damaged(input_, std::string("it is cut short inside of an xz ") + part);
    return available;
  }
  [[nodiscard]] Buffer take(std::size_t size, const char* part) {
    Buffer taken;
    while (taken.size() < size) {
      const auto available = peek(part);
      const auto piece = available.first(std::min(available.size(), size - taken.size()));
      taken.insert(taken.end(), piece.begin(), piece.end());
      input_.consume(piece.size());
    }
    return taken;
  }
  void check(lzma_ret result) const {
    if (result != LZMA_OK) throw wrong(input_, result);
  }

  // False at the end of the file.
  bool begin_next_block() {
    for (;;) {
      const auto available = input_.peek();
      if (available.empty()) {
        if (index_hash_) throw damaged(input_, "it is cut short inside of an xz stream");
        return false;
      }
      if (!inside_stream_ || (available.front() == kStreamBegin && !index_hash_)) {
        begin_stream();
      } else if (available.front() == kIndexBegin) {
        end_stream();
      } else {
        begin_block(available.front());
        return true;
      }
    }
  }

  void begin_stream() {
    stream_begin_ = input_.position();
    check(lzma_stream_header_decode(&flags_, bytes(take(LZMA_STREAM_HEADER_SIZE, "stream").data())));
    if (!first_check_) first_check_ = flags_.check;
    index_hash_.reset(lzma_index_hash_init(nullptr, nullptr));
    if (!index_hash_) throw std::bad_alloc();
    inside_stream_ = true;
  }

  // Who begins at a block takes the first stream's check for its own: of a stream with another, only the whole is a
  // part.
  void note_part() {
    const auto header = std::exchange(stream_begin_, std::nullopt);
    if (flags_.check == first_check_) {
      begin_part(input_.position());
    } else if (header) {
      begin_part(*header);
    }
  }

  void begin_block(std::byte first) {
    note_part();
    block_ = lzma_block{};
    block_.version = 1;
    block_.check = flags_.check;
    block_.filters = filters_.data();
    block_.header_size = lzma_block_header_size_decode(std::to_integer<std::uint32_t>(first));
    check(lzma_block_header_decode(&block_, nullptr, bytes(take(block_.header_size, "block's header").data())));
    const bool is_too_large = lzma_raw_decoder_memusage(filters_.data()) > memory_limit_.count;
    const auto started = is_too_large ? LZMA_MEMLIMIT_ERROR : lzma_block_decoder(&stream_, &block_);
    for (auto& filter : filters_) {
      if (filter.id == LZMA_VLI_UNKNOWN) break;
      std::free(filter.options);  // allocated by the header's decoder
      filter.options = nullptr;
    }
    check(started);
    inside_block_ = true;
  }

  // Zeros may stand between streams, and behind the last one.
  void end_stream() {
    const bool is_whole = index_hash_ != nullptr;
    is_whole ? check_index() : pass_index();
    const auto header = flags_;
    const auto footer = take(LZMA_STREAM_HEADER_SIZE, "stream's footer");
    check(lzma_stream_footer_decode(&flags_, bytes(footer.data())));
    const bool fits = lzma_stream_flags_compare(&header, &flags_) == LZMA_OK &&
                      flags_.backward_size == lzma_index_hash_size(index_hash_.get());
    if (is_whole && !fits) throw damaged(input_, error_text(LZMA_DATA_ERROR));
    index_hash_.reset();
    inside_stream_ = false;
    std::size_t zeros = 0;
    for (auto available = input_.peek(); !available.empty() && available.front() == std::byte{0};
         available = input_.peek()) {
      input_.consume(1);
      ++zeros;
    }
    if (zeros % 4 != 0) throw damaged(input_, error_text(LZMA_DATA_ERROR));
  }

  void check_index() {
    for (auto result = LZMA_OK; result != LZMA_STREAM_END;) {
      const auto available = peek("index");
      std::size_t read = 0;
      result = lzma_index_hash_decode(index_hash_.get(), bytes(available.data()), &read, available.size());
      input_.consume(read);
      if (result != LZMA_STREAM_END) check(result);
    }
  }

  // What it should say is not known.
  void pass_index() {
    lzma_index* index = nullptr;  // and null again unless all of it is there
    check(lzma_index_decoder(&stream_, &index, memory_limit_.count));
    for (auto result = LZMA_OK; result != LZMA_STREAM_END;) {
      const auto available = peek("index");
      stream_.next_in = bytes(available.data());
      stream_.avail_in = available.size();
      result = lzma_code(&stream_, LZMA_RUN);
      input_.consume(available.size() - stream_.avail_in);
      if (result != LZMA_STREAM_END) check(result);
    }
    lzma_index_end(index, nullptr);
  }

  FileInput& input_;
  Bytes memory_limit_;
  std::optional<lzma_check> first_check_;
  lzma_stream_flags flags_{};  // of the stream
  std::optional<std::uint64_t> stream_begin_;
  std::unique_ptr<lzma_index_hash, IndexHashDeleter> index_hash_;  // of a stream that was begun with its header
  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters_{};
  lzma_block block_{};  // used by the decoder while it is inside of the block
  lzma_stream stream_ = LZMA_STREAM_INIT;
  LateFailure failure_;
  bool inside_stream_ = false;
  bool inside_block_ = false;
};

/// By the file's first header or its last footer. Where both are damaged, what is most common.
lzma_check check_of(const ReadableFile& file) {
  std::array<std::byte, LZMA_STREAM_HEADER_SIZE> header{};
  lzma_stream_flags flags{};
  const auto is_read = [&](std::uint64_t offset, auto decode) {
    try {
      return read_or_damage(file, offset, header) == header.size() && decode(&flags, bytes(header.data())) == LZMA_OK;
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::damaged) throw;
      return false;
    }
  };
  const auto footer = file.size() - std::min<std::uint64_t>(file.size(), header.size());
  return is_read(0, lzma_stream_header_decode) || is_read(footer, lzma_stream_footer_decode) ? flags.check
                                                                                             : LZMA_CHECK_CRC64;
}

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder(FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzDecoder>(input, memory_limit, std::nullopt);
}

std::unique_ptr<Decoder> make_xz_block_decoder(const ReadableFile& file, FileInput& input, Bytes memory_limit) {
  return std::make_unique<XzDecoder>(input, memory_limit, check_of(file));
}

bool is_xz_part(ByteView head) {
  lzma_stream_flags flags{};
  if (head.size() >= LZMA_STREAM_HEADER_SIZE && lzma_stream_header_decode(&flags, bytes(head.data())) == LZMA_OK)
    return true;
  constexpr std::byte kReservedFlags{0x3C};
  if (head.size() < 2 || head[0] == kIndexBegin || (head[1] & kReservedFlags) != std::byte{0}) return false;
  const std::size_t size = lzma_block_header_size_decode(std::to_integer<std::uint32_t>(head[0])) - kCrcBytes;
  if (size + kCrcBytes > std::min(head.size(), kXzPartHeadBytes)) return false;
  std::uint32_t stored = 0;
  for (std::size_t i = kCrcBytes; i > 0; --i)
    stored = stored << 8U | std::to_integer<std::uint32_t>(head[size + i - 1]);
  return stored == lzma_crc32(bytes(head.data()), size, 0);
}

}  // namespace autoarchive::tar_internal
