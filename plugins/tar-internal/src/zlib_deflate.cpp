// By zlib: what every system has.
#include <zlib.h>

#include <algorithm>
#include <new>

#include "deflate.hpp"

namespace autoarchive::tar_internal {
namespace {

// zlib does not write to its input; its interface is older than const.
Bytef* input(ByteView bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
}

uInt limited(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, 1U << 30U));
}

class ZlibDeflater final : public Deflater {
 public:
  explicit ZlibDeflater(int level) {
    constexpr int kMemoryLevel = 9;  // 512 KiB, the most: slightly smaller files
    if (deflateInit2(&stream_, level, Z_DEFLATED, -MAX_WBITS, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ZlibDeflater(const ZlibDeflater&) = delete;
  ZlibDeflater& operator=(const ZlibDeflater&) = delete;
  ~ZlibDeflater() override { deflateEnd(&stream_); }

  std::size_t deflate(ByteView block, std::span<std::byte> out) override {
    deflateReset(&stream_);
    stream_.next_in = input(block);
    stream_.avail_in = limited(block.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = limited(out.size());
    return ::deflate(&stream_, Z_FINISH) == Z_STREAM_END ? stream_.total_out : 0;
  }

  std::uint32_t crc32(ByteView content) const override {
    return static_cast<std::uint32_t>(::crc32_z(0, input(content), content.size()));
  }

 private:
  z_stream stream_{};
};

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() {
    if (inflateInit2(&stream_, kGzip) != Z_OK) throw std::bad_alloc();
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;
  ~ZlibInflater() override { inflateEnd(&stream_); }

  void begin_member() override { inflateReset2(&stream_, kGzip); }

  Step inflate(ByteView in, std::span<std::byte> out) override {
    const auto offered = limited(in.size());
    const auto room = limited(out.size());
    stream_.next_in = input(in);
    stream_.avail_in = offered;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    return {offered - stream_.avail_in, room - stream_.avail_out, result == Z_STREAM_END, error_text(result)};
  }

 private:
  static constexpr int kGzip = MAX_WBITS + 16;  // zlib's way to ask for gzip's header and trailer

  const char* error_text(int result) const {
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return nullptr;
    return stream_.msg != nullptr ? stream_.msg : "gzip data is wrong";
  }

  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Deflater> make_zlib_deflater(int level) {
  return std::make_unique<ZlibDeflater>(level);
}

std::unique_ptr<Inflater> make_zlib_inflater() {
  return std::make_unique<ZlibInflater>();
}

}  // namespace autoarchive::tar_internal
