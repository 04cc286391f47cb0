// gzip (RFC 1952): members that are independent of each other.
//
//   member = 1f 8b 08 04, time 00 00 00 00, 00 03          deflate, with an extra field; made on Unix
//            08 00, 'A' 'A' 04 00, bytes of the member     the extra field: one subfield, a 32-bit number
//            deflated data, CRC-32, length                 numbers are little-endian
//
// Stock tools skip the extra field. With it, a reader goes from member to member without inflating them, and can
// inflate several at a time.
#include <algorithm>
#include <array>

#include "codec.hpp"
#include "deflate.hpp"
#include "incompressible.hpp"
#include "late_failure.hpp"
#include "scratch.hpp"

namespace autoarchive::tar_internal {
namespace {

// A member begins without the window of the one before it. 1 MiB: 0.53 % more than gzip -6 on kernel sources, 1.5 MiB:
// 0.40 %.
constexpr std::size_t kBlockSize = std::size_t{3} << 19U;
constexpr std::size_t kWindowSize = 32 * 1024;
constexpr int kDefaultStrength = 6;

/// The level that makes a strength: ISA-L's, and libdeflate's where there is none or no ISA-L.
struct Level {
  std::optional<int> isal;
  int libdeflate;
};
// MB/s and size in % of the input, one thread, of about 140 MB of kernel sources; the rows of ISA-L and the last two
// from another machine and other sources, where libdeflate 5 had 84 and 22.6 (zlib 1: 114, 27.7; 6: 35, 22.3; 9: 19,
// 22.1). A whole backup at 6 is 1 % smaller than `tar | gzip -6`, as names that are alike follow each other; level 6
// would be 2.5 % smaller, and a quarter slower.
constexpr std::array<Level, 10> kLevels{{
    {1, 1},   // 490, 27.3
    {2, 1},   // 460, 26.8
    {3, 1},   // 240, 25.5
    {{}, 2},  // 133, 20.9
    {{}, 3},  // 101, 20.4
    {{}, 4},  // 107, 20.0
    {{}, 5},  // 86, 19.4
    {{}, 6},  // 65, 19.1
    {{}, 8},  // 28, 22.0; level 7: 48, 22.1
    {{}, 10}  // 9, 21.2; level 12 gains 0.3 %, and takes twice as long
}};

constexpr std::array<unsigned char, 16> kHeader{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 8, 0, 'A', 'A', 4, 0};
constexpr std::size_t kHeaderBytes = kHeader.size() + 4;  // with the member's size
constexpr std::size_t kTrailerBytes = 8;

// Where the quick deflater leaves this much of a block, the best one gains 0.1 % of it, at a fifth of the speed.
constexpr std::size_t kHopelessPercent = 99;

std::unique_ptr<Deflater> make_thorough_deflater(int strength) {
  auto deflater = make_libdeflate_deflater(kLevels.at(static_cast<std::size_t>(strength)).libdeflate);
  return deflater ? std::move(deflater) : make_zlib_deflater(std::max(1, strength));
}

std::unique_ptr<Inflater> make_inflater() {
  auto inflater = make_isal_inflater();
  return inflater ? std::move(inflater) : make_zlib_inflater();
}

void put_32(std::byte* place, std::size_t value) {
  for (unsigned i = 0; i < 4; ++i) place[i] = static_cast<std::byte>(value >> 8 * i & 0xFFU);
}

std::uint64_t get_32(const std::byte* place) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint64_t>(place[i]) << 8 * i;
  return value;
}

bool is_header(ByteView head) {
  return head.size() >= kHeader.size() && std::equal(kHeader.begin(), kHeader.end(), head.begin(),
                                                     [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

// Stored blocks: 5 bytes before each 65535 of data.
constexpr std::size_t kMaxStored = 0xFFFF;

std::size_t stored_size(std::size_t size) {
  return size + 5 * std::max<std::size_t>(1, (size + kMaxStored - 1) / kMaxStored);
}

std::size_t store(ByteView block, std::byte* out) {
  auto* place = out;
  do {
    const auto size = std::min(block.size(), kMaxStored);
    *place++ = static_cast<std::byte>(size == block.size());  // the last one?
    put_32(place, size | (~size & kMaxStored) << 16U);
    place = std::copy_n(block.begin(), size, place + 4);
    block = block.subspan(size);
  } while (!block.empty());
  return static_cast<std::size_t>(place - out);
}

class GzipCompressor final : public BlockCompressor {
 public:
  explicit GzipCompressor(int strength) {
    const auto quick_level = kLevels.at(static_cast<std::size_t>(strength)).isal;
    quick_ = make_isal_deflater(quick_level.value_or(1));
    if (!quick_level || !quick_) thorough_ = make_thorough_deflater(strength);
  }

  void compress(ByteView block, Buffer& out) override {
    const auto bound = stored_size(block.size());
    const auto member = scratch_.at_least(kHeaderBytes + bound + kTrailerBytes);
    std::transform(kHeader.begin(), kHeader.end(), member.begin(), [](unsigned char c) { return std::byte{c}; });
    auto size = deflate(block, member.subspan(kHeaderBytes, bound));
    if (size == 0) size = store(block, member.data() + kHeaderBytes);
    auto* const trailer = member.data() + kHeaderBytes + size;
    put_32(trailer, (quick_ ? quick_ : thorough_)->crc32(block));
    put_32(trailer + 4, block.size());
    put_32(member.data() + kHeader.size(), kHeaderBytes + size + kTrailerBytes);
    out.insert(out.end(), member.data(), trailer + kTrailerBytes);
  }

 private:
  // 0 for a block that is better stored.
  std::size_t deflate(ByteView block, std::span<std::byte> out) {
    if (!thorough_) return quick_->deflate(block, out);
    if (!looks_incompressible(block)) return thorough_->deflate(block, out);
    if (!quick_) return is_incompressible(block, kWindowSize) ? 0 : thorough_->deflate(block, out);
    // A trial by the quick one gains a little more than storing. It does not see repetitions from far in the window.
    const auto size = quick_->deflate(block, out);
    const bool is_hopeless = size == 0 || size * 100 >= block.size() * kHopelessPercent;
    return is_hopeless && !repeats_itself(block, kWindowSize) ? size : thorough_->deflate(block, out);
  }

  std::unique_ptr<Deflater> quick_;     // null without ISA-L
  std::unique_ptr<Deflater> thorough_;  // null where the quick one makes the strength
  Scratch scratch_;
};

class GzipFormat final : public CompressedFormat {
 public:
  explicit GzipFormat(int strength) : strength_(strength) {}
  [[nodiscard]] std::size_t block_bytes() const noexcept override { return kBlockSize; }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    return std::make_unique<GzipCompressor>(strength_);
  }
  void block_written(ByteView /*compressed*/, std::uint64_t /*uncompressed_bytes*/) override { is_empty_ = false; }
  void append_end(Buffer& out) override {
    if (is_empty_) GzipCompressor(strength_).compress({}, out);  // a file without a member is none
  }

 private:
  int strength_;
  bool is_empty_ = true;
};

class GzipDecoder final : public Decoder {
 public:
  explicit GzipDecoder(FileInput& input) : input_(input), inflater_(make_inflater()) {}

  std::size_t read(std::span<std::byte> out) override {
    failure_.throw_if_there();
    while (inside_member_ || begin_member()) {
      const auto available = input_.peek();
      const auto step = inflater_->inflate(available, out);
      if (step.error != nullptr) {  // then what was consumed has no meaning
        failure_.note(damaged(input_, step.error), step.produced);
        return step.produced;
      }
      take(available.first(step.consumed));
      if (step.member_ended) {
        end_member(step.produced);
      } else if (available.empty() && step.produced == 0) {
        throw damaged(input_, "it is cut short inside of a gzip member");
      }
      if (step.produced != 0) return step.produced;
    }
    return 0;
  }

 private:
  // False at the end of the file. Zeros behind the last member are padding, as from a tape; anything else is damage.
  bool begin_member() {
    auto available = input_.peek();
    while (!available.empty() && available.front() == std::byte{0} && has_members_) {
      input_.consume(static_cast<std::size_t>(
          std::find_if(available.begin(), available.end(), [](std::byte b) { return b != std::byte{0}; }) -
          available.begin()));
      available = input_.peek();
      if (!available.empty() && available.front() != std::byte{0})
        throw damaged(input_, "something stands behind its end");
    }
    if (available.empty()) return false;
    if (available.front() != std::byte{0x1f})
      throw damaged(input_, "something that is no gzip member stands behind its end");
    begin_part(input_.position());
    inflater_->begin_member();
    inside_member_ = has_members_ = true;
    member_bytes_ = 0;
    return true;
  }

  void take(ByteView consumed) {
    for (std::size_t i = 0; i < consumed.size() && member_bytes_ + i < head_.size(); ++i)
      head_[member_bytes_ + i] = consumed[i];
    member_bytes_ += consumed.size();
    input_.consume(consumed.size());
  }

  void end_member(std::size_t produced) {
    inside_member_ = false;
    if (is_header(head_) && get_32(&head_[kHeader.size()]) != member_bytes_)
      failure_.note(damaged(input_, "a gzip member has not the size that its header tells"), produced);
  }

  FileInput& input_;
  std::unique_ptr<Inflater> inflater_;
  LateFailure failure_;
  std::array<std::byte, kHeaderBytes> head_{};  // the first bytes of the member
  std::uint64_t member_bytes_ = 0;              // how many of its bytes are consumed
  bool inside_member_ = false;
  bool has_members_ = false;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_gzip_format(std::optional<int> strength) {
  return std::make_unique<GzipFormat>(strength.value_or(kDefaultStrength));
}

std::unique_ptr<Decoder> make_gzip_decoder(FileInput& input) {
  return std::make_unique<GzipDecoder>(input);
}

}  // namespace autoarchive::tar_internal
