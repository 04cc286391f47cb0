// By libdeflate: whole blocks only, two to three times as fast as zlib at the same size.
#include "deflate.hpp"

#ifdef AA_WITH_LIBDEFLATE
#include <libdeflate.h>

#include <new>

namespace autoarchive::tar_internal {
namespace {

struct CompressorDeleter {
  void operator()(libdeflate_compressor* compressor) const noexcept { libdeflate_free_compressor(compressor); }
};

class LibdeflateDeflater final : public Deflater {
 public:
  explicit LibdeflateDeflater(int level) : compressor_(libdeflate_alloc_compressor(level)) {
    if (!compressor_) throw std::bad_alloc();
  }

  std::size_t deflate(ByteView block, std::span<std::byte> out) override {
    return libdeflate_deflate_compress(compressor_.get(), block.data(), block.size(), out.data(), out.size());
  }

  std::uint32_t crc32(ByteView content) const override { return libdeflate_crc32(0, content.data(), content.size()); }

 private:
  std::unique_ptr<libdeflate_compressor, CompressorDeleter> compressor_;
};

}  // namespace

std::unique_ptr<Deflater> make_libdeflate_deflater(int level) {
  return std::make_unique<LibdeflateDeflater>(level);
}

}  // namespace autoarchive::tar_internal

#else

namespace autoarchive::tar_internal {

std::unique_ptr<Deflater> make_libdeflate_deflater(int /*level*/) {
  return nullptr;
}

}  // namespace autoarchive::tar_internal

#endif
