#include "salvage.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kChunkBytes = 1U << 20U;
static_assert(kChunkBytes % kBlockBytes == 0);

bool is_header(HeaderView block) {
  constexpr std::size_t kMagic = 257;
  return std::memcmp(block.data() + kMagic, "ustar", 5) == 0 && has_valid_checksum(block);
}

/// How a part that decodes by itself begins; empty for formats that have none that can be found.
std::string_view signature_of(std::string_view format) {
  if (format == "tar.gz") return "\x1f\x8b\x08";
  if (format == "tar.bz2") return "BZh";
  if (format == "tar.zst") return "\x28\xb5\x2f\xfd";
  return {};
}

std::optional<ReadingPlace> find_in_plain(const ReadableFile& file, std::uint64_t after) {
  std::vector<std::byte> chunk(kChunkBytes);
  for (auto offset = (after + kBlockBytes - 1) / kBlockBytes * kBlockBytes;; offset += chunk.size()) {
    const auto size = file.read_at(offset, chunk);
    for (std::size_t at = 0; at + kBlockBytes <= size; at += kBlockBytes) {
      if (is_header(ByteView(chunk).subspan(at).first<kBlockBytes>()))
        return ReadingPlace{{offset + at, offset + at}, offset + at};
    }
    if (size < chunk.size()) return std::nullopt;
  }
}

/// The next place at or behind `from` that begins like a part.
std::optional<std::uint64_t> find_signature(const ReadableFile& file, std::string_view signature, std::uint64_t from) {
  std::string chunk(kChunkBytes, '\0');
  for (;; from += chunk.size() - signature.size() + 1) {
    const auto size = file.read_at(from, std::as_writable_bytes(std::span(chunk)));
    const auto found = std::string_view(chunk).substr(0, size).find(signature);
    if (found != std::string_view::npos) return from + found;
    if (size < chunk.size()) return std::nullopt;
  }
}

/// How many bytes lie before the first header in what decodes from `offset` on.
std::optional<std::uint64_t> bytes_before_header(const ReadableFile& file, std::string_view format,
                                                 std::uint64_t offset, Bytes decoder_memory) {
  FileInput input(file, offset);
  std::vector<std::byte> block(kBlockBytes);
  std::size_t filled = 0;
  try {
    const auto decoder = make_block_decoder(format, file, input, decoder_memory);
    for (std::uint64_t begin = 0;;) {
      const auto got = decoder->read(std::span(block).subspan(filled));
      if (got == 0) return std::nullopt;
      filled += got;
      if (filled < kBlockBytes) continue;
      if (is_header(ByteView(block).first<kBlockBytes>())) return begin;
      begin += kBlockBytes;
      filled = 0;
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    return std::nullopt;  // it only began like one, or is damaged, too
  }
}

}  // namespace

std::optional<ReadingPlace> find_member_behind(const ReadableFile& file, std::string_view format, std::uint64_t after,
                                               Bytes decoder_memory) {
  if (format == "tar") return find_in_plain(file, after);
  const auto signature = signature_of(format);
  if (signature.empty()) return std::nullopt;
  for (auto from = after;; ++from) {
    const auto offset = find_signature(file, signature, from);
    if (!offset) return std::nullopt;
    from = *offset;
    if (const auto before = bytes_before_header(file, format, *offset, decoder_memory))
      return ReadingPlace{{*offset, 0}, *before};
  }
}

}  // namespace autoarchive::tar_internal
