// By ISA-L's igzip: the fastest there is on both ways, in coarse steps of strength. It picks what the CPU can at run
// time.
#include "deflate.hpp"

#ifdef AA_WITH_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace autoarchive::tar_internal {
namespace {

// ISA-L does not write to its input; its interface does not say so.
std::uint8_t* input(ByteView bytes) {
  return reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
}

std::uint32_t size_32(std::size_t size) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

class IsalDeflater final : public Deflater {
 public:
  explicit IsalDeflater(int level) : memory_(kMemoryByLevel.at(static_cast<std::size_t>(level))) {
    isal_deflate_init(&stream_);
    stream_.level = static_cast<std::uint32_t>(level);
    stream_.level_buf = memory_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(memory_.size());
    stream_.end_of_stream = 1;
  }

  std::size_t deflate(ByteView block, std::span<std::byte> out) override {
    isal_deflate_reset(&stream_);
    stream_.next_in = input(block);
    stream_.avail_in = size_32(block.size());
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = size_32(out.size());
    if (isal_deflate(&stream_) != COMP_OK || stream_.internal_state.state != ZSTATE_END) return 0;
    return stream_.total_out;
  }

  std::uint32_t crc32(ByteView content) const override { return crc32_gzip_refl(0, input(content), content.size()); }

 private:
  static constexpr std::array<std::size_t, 4> kMemoryByLevel{ISAL_DEF_LVL0_EXTRA_LARGE, ISAL_DEF_LVL1_EXTRA_LARGE,
                                                             ISAL_DEF_LVL2_EXTRA_LARGE, ISAL_DEF_LVL3_EXTRA_LARGE};
  std::vector<std::uint8_t> memory_;
  isal_zstream stream_{};
};

const char* error_text(int code) {
  switch (code) {
    case ISAL_INCORRECT_CHECKSUM:
      return "gzip data is wrong (its checksum differs)";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
      return "the header of a gzip member is wrong";
    default:
      return "gzip data is wrong";
  }
}

// It takes sets of Huffman codes that zlib refuses because they are not complete. What comes out has been checked by
// its CRC and length all the same.
class IsalInflater final : public Inflater {
 public:
  IsalInflater() {
    isal_inflate_init(&state_);
    begin_member();
  }

  // The header is read by a call of its own: isal_inflate() forgets what it has read of one that is cut in two by the
  // end of its input.
  void begin_member() override {
    isal_inflate_reset(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
    header_ = {};
    isal_gzip_header_init(&header_);
    in_header_ = true;
  }

  Step inflate(ByteView in, std::span<std::byte> out) override {
    const auto offered = size_32(in.size());
    const auto room = size_32(out.size());
    state_.next_in = input(in);
    state_.avail_in = offered;
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = room;
    int result = in_header_ ? isal_read_gzip_header(&state_, &header_) : ISAL_DECOMP_OK;
    if (result == ISAL_END_INPUT) return {offered - state_.avail_in, 0, false, nullptr};
    if ((header_.flags & kReservedFlags) != 0) result = ISAL_INVALID_WRAPPER;  // ISA-L passes over them
    in_header_ = in_header_ && result != ISAL_DECOMP_OK;
    if (result == ISAL_DECOMP_OK) result = isal_inflate(&state_);
    return {offered - state_.avail_in, room - state_.avail_out,
            result >= 0 && state_.block_state == ISAL_BLOCK_FINISH,  // a member with a wrong checksum has finished, too
            result < 0 ? error_text(result) : nullptr};
  }

 private:
  static constexpr std::uint32_t kReservedFlags = 0xE0;  // RFC 1952: a reader has to refuse them

  inflate_state state_{};
  isal_gzip_header header_{};
  bool in_header_ = true;
};

}  // namespace

std::unique_ptr<Deflater> make_isal_deflater(int level) {
  return std::make_unique<IsalDeflater>(level);
}

std::unique_ptr<Inflater> make_isal_inflater() {
  return std::make_unique<IsalInflater>();
}

}  // namespace autoarchive::tar_internal

#else

namespace autoarchive::tar_internal {

std::unique_ptr<Deflater> make_isal_deflater(int /*level*/) {
  return nullptr;
}

std::unique_ptr<Inflater> make_isal_inflater() {
  return nullptr;
}

}  // namespace autoarchive::tar_internal

#endif
