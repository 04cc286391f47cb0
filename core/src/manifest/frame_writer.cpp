#include "frame_writer.hpp"

#include <zstd.h>

#include <array>
#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

// Costs less than half of 3.
constexpr int kLevel = 1;

void append_little_endian(std::vector<std::byte>& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFFU));
}

}  // namespace

struct FrameWriter::Compressor {
  struct Deleter {
    void operator()(ZSTD_CCtx* owned) const noexcept { ZSTD_freeCCtx(owned); }
  };
  std::unique_ptr<ZSTD_CCtx, Deleter> context{ZSTD_createCCtx()};
  std::vector<std::byte> buffer;
};

FrameWriter::FrameWriter(Sink& sink) : sink_(sink), compressor_(std::make_unique<Compressor>()) {
  auto* context = compressor_->context.get();
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
}

FrameWriter::~FrameWriter() = default;

void FrameWriter::write_frame(std::string_view text) {
  auto& buffer = compressor_->buffer;
  buffer.resize(ZSTD_compressBound(text.size()));
  const auto size = ZSTD_compress2(compressor_->context.get(), buffer.data(), buffer.size(), text.data(), text.size());
  if (ZSTD_isError(size) != 0) {
    throw Error(ErrorCode::runtime_error, std::string("manifest: zstd: ") + ZSTD_getErrorName(size),
                ErrorCause::internal);
  }
  sink_.write(ByteView(buffer).first(size));
  digest_.update(ByteView(buffer).first(size));
  offset_ += size;
}

void FrameWriter::write_footer(std::uint64_t last_frame) {
  std::vector<std::byte> footer;
  append_little_endian(footer, kFooterMagic, 4);
  append_little_endian(footer, kFooterBytes - 8, 4);
  append_little_endian(footer, last_frame, 8);
  digest_.update(ByteView(footer).subspan(8));
  append_little_endian(footer, digest_.value(), 8);
  for (const char c : kFooterWord) footer.push_back(static_cast<std::byte>(c));
  sink_.write(footer);
  offset_ += footer.size();
}

}  // namespace autoarchive
