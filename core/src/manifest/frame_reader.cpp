#include "frame_reader.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/text.hpp"
#include "frame_writer.hpp"

namespace autoarchive {
namespace {

constexpr int kMaxWindowLog = 23;  // 8 MiB: frames of ours hold about 1 MiB
constexpr std::size_t kMaxLineBytes = 32U << 20U;
constexpr std::size_t kInputBytes = 128 * 1024;
constexpr std::size_t kOutputBytes = 64 * 1024;
constexpr std::size_t kCheckBytes = 256 * 1024;

/// Memory that costs nothing where nothing is written to it.
class RawBuffer {
 public:
  explicit RawBuffer(std::size_t size) : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}
  [[nodiscard]] std::span<std::byte> span() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

Error damaged_file(const ReadableFile& file, std::string_view what) {
  return {ErrorCode::value_error, "manifest " + quote(file.description()) + " is damaged: " + std::string(what),
          ErrorCause::damaged};
}

/// What the last bytes of the file say.
struct Footer {
  std::uint64_t last_frame = 0;
  std::uint64_t digest = 0;
};

Footer read_footer(const ReadableFile& file) {
  std::array<std::byte, kFooterBytes> footer{};
  const auto size = file.size();
  if (size < footer.size() || file.read_at(size - footer.size(), footer) != footer.size())
    throw damaged_file(file, "it is cut short");
  const ByteView view(footer);
  const bool is_footer = little_endian(view.first(4)) == kFooterMagic &&
                         little_endian(view.subspan(4, 4)) == kFooterBytes - 8 &&
                         std::memcmp(footer.data() + 24, kFooterWord.data(), kFooterWord.size()) == 0;
  const Footer read{little_endian(view.subspan(8, 8)), little_endian(view.subspan(16, 8))};
  if (!is_footer || read.last_frame >= size - footer.size()) throw damaged_file(file, "its end is missing");
  return read;
}

/// The digest in the footer is of all bytes before it and of the offset in it.
void check_digest(const ReadableFile& file, ContentDigest& before_footer) {
  const auto footer = read_footer(file);
  std::array<std::byte, 8> offset{};
  static_cast<void>(file.read_at(file.size() - kFooterBytes + 8, offset));
  before_footer.update(offset);
  if (footer.last_frame == 0 || before_footer.value() != footer.digest)
    throw damaged_file(file, "its bytes are not those that were written");
}

}  // namespace

void check_frames(const ReadableFile& file) {
  const auto end = file.size() - std::min<std::uint64_t>(file.size(), kFooterBytes);
  ContentDigest digest;
  const RawBuffer buffer(static_cast<std::size_t>(std::clamp<std::uint64_t>(end, 1, kCheckBytes)));
  for (std::uint64_t offset = 0; offset < end;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.span().size(), end - offset));
    const auto got = file.read_at(offset, buffer.span().first(wanted));
    if (got == 0) throw damaged_file(file, "it is cut short");
    digest.update(buffer.span().first(got));
    offset += got;
  }
  check_digest(file, digest);
}

struct FrameReader::Decompressor {
  struct Deleter {
    void operator()(ZSTD_DCtx* owned) const noexcept { ZSTD_freeDCtx(owned); }
  };
  std::unique_ptr<ZSTD_DCtx, Deleter> context{ZSTD_createDCtx()};
  RawBuffer input{kInputBytes};
  std::size_t input_begin = 0;
  std::size_t input_end = 0;
  std::uint64_t offset = 0;                                       // of the next byte to be read from the file
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();  // of what is to be read
  bool inside_frame = false;
  ContentDigest digest;  // of the file, up to its footer
  RawBuffer output{kOutputBytes};
  std::string text;            // decoded
  std::size_t text_begin = 0;  // not yet handed out
};

FrameReader::FrameReader(std::shared_ptr<const ReadableFile> file)
    : file_(std::move(file)), decompressor_(std::make_unique<Decompressor>()) {
  if (!decompressor_->context) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(decompressor_->context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
}

FrameReader::~FrameReader() = default;

Error FrameReader::damaged(std::string_view what) const {
  return damaged_file(*file_, what);
}

void FrameReader::seek(std::uint64_t offset, std::uint64_t end) {
  auto& state = *decompressor_;
  ZSTD_DCtx_reset(state.context.get(), ZSTD_reset_session_only);
  state.input_begin = state.input_end = 0;
  state.offset = offset;
  state.end = end;
  state.inside_frame = false;
  state.text.clear();
  state.text_begin = 0;
}

void FrameReader::check_whole() {
  check_digest(*file_, decompressor_->digest);
}

std::uint64_t FrameReader::last_frame() const {
  return read_footer(*file_).last_frame;
}

void FrameReader::fill() {
  auto& state = *decompressor_;
  state.input_begin = 0;
  const auto left = state.end - std::min(state.end, state.offset);
  state.input_end = file_->read_at(
      state.offset, state.input.span().first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kInputBytes))));
  const auto before_footer = file_->size() - std::min<std::uint64_t>(file_->size(), kFooterBytes);
  if (state.offset < before_footer) {
    state.digest.update(state.input.span().first(
        static_cast<std::size_t>(std::min<std::uint64_t>(state.input_end, before_footer - state.offset))));
  }
  state.offset += state.input_end;
}

// Decodes one bufferful, or reads more input.
void FrameReader::decompress() {
  auto& state = *decompressor_;
  ZSTD_inBuffer in{state.input.span().data(), state.input_end, state.input_begin};
  const auto output = state.output.span();
  ZSTD_outBuffer out{output.data(), output.size(), 0};
  const auto result = ZSTD_decompressStream(state.context.get(), &out, &in);
  state.text.append(reinterpret_cast<const char*>(output.data()), out.pos);
  state.input_begin = in.pos;
  if (ZSTD_isError(result) != 0) throw damaged(ZSTD_getErrorName(result));
  state.inside_frame = result != 0;
}

bool FrameReader::next_line(std::string_view& line) {
  auto& state = *decompressor_;
  std::size_t searched = state.text_begin;
  for (;;) {
    const auto end = state.text.find('\n', searched);
    if (end != std::string::npos) {
      line = std::string_view(state.text).substr(state.text_begin, end - state.text_begin);
      state.text_begin = end + 1;
      return true;
    }
    state.text.erase(0, state.text_begin);
    state.text_begin = 0;
    searched = state.text.size();
    if (searched > kMaxLineBytes) throw damaged("a line is too long");
    if (state.input_begin == state.input_end) fill();
    // An empty input is still offered inside of a frame: the decoder may have more to give.
    const bool at_end = state.input_end == 0;
    if (at_end && !state.inside_frame) {
      if (!state.text.empty()) throw damaged("its last line is cut short");
      return false;
    }
    const auto before = state.text.size();
    decompress();
    if (at_end && state.inside_frame && state.text.size() == before) throw damaged("it is cut short");
  }
}

}  // namespace autoarchive
