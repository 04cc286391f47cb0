#include "codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kHeadBytes = 1024;

struct Signature {
  std::string_view format;
  std::string_view bytes;
};
constexpr std::array kSignatures{Signature{"tar.gz", "\x1f\x8b"}, Signature{"tar.bz2", "BZh"},
                                 Signature{"tar.xz", std::string_view("\xfd"
                                                                      "7zXZ\0",
                                                                      6)},
                                 Signature{"tar.zst", "\x28\xb5\x2f\xfd"}};

/// A zstd file may begin with a skippable frame (0x184D2A50 .. 5F).
bool is_skippable_frame(ByteView head) {
  constexpr std::array<unsigned, 3> kRest{0x2A, 0x4D, 0x18};
  if (head.size() < 4 || std::to_integer<unsigned>(head[0]) >> 4U != 5) return false;
  return std::equal(kRest.begin(), kRest.end(), head.begin() + 1,
                    [](unsigned byte, std::byte found) { return std::to_integer<unsigned>(found) == byte; });
}

/// Plain tar: what the file says, it is.
class PlainDecoder final : public Decoder {
 public:
  explicit PlainDecoder(FileInput& input) : input_(input) {}
  std::size_t read(std::span<std::byte> out) override {
    const auto available = input_.peek();
    const auto count = std::min(out.size(), available.size());
    std::copy_n(available.begin(), count, out.begin());
    input_.consume(count);
    return count;
  }

 private:
  FileInput& input_;
};

}  // namespace

std::unique_ptr<CompressedFormat> make_format(std::string_view extension, std::optional<int> strength) {
  if (extension == "tar.gz") return make_gzip_format(strength);
  if (extension == "tar.bz2") return make_bzip2_format(strength);
  if (extension == "tar.xz") return make_xz_format(strength);
  if (extension == "tar.zst") return make_zstd_format(strength);
  return nullptr;
}

std::optional<std::string_view> recognise_format(ByteView head) {
  for (const auto& signature : kSignatures) {
    if (head.size() >= signature.bytes.size() &&
        std::memcmp(head.data(), signature.bytes.data(), signature.bytes.size()) == 0) {
      return signature.format;
    }
  }
  if (is_skippable_frame(head)) return "tar.zst";
  // Two empty blocks are an archive without members.
  const bool is_empty = head.size() >= 2 * kBlockBytes && std::all_of(head.begin(), head.begin() + 2 * kBlockBytes,
                                                                      [](std::byte b) { return b == std::byte{0}; });
  if (is_empty || (head.size() >= kBlockBytes && has_valid_checksum(head.first<kBlockBytes>()))) return "tar";
  return std::nullopt;
}

bool is_format(std::string_view format) {
  return format == "tar" || std::any_of(kSignatures.begin(), kSignatures.end(),
                                        [&](const auto& signature) { return signature.format == format; });
}

std::string_view format_of(const ReadableFile& file) {
  std::array<std::byte, kHeadBytes> head{};
  const auto size = read_or_damage(file, 0, head);
  if (const auto format = recognise_format(ByteView(head).first(size))) return *format;
  throw Error(ErrorCode::value_error,
              quote(file.description()) + " is not a tar archive, plain or compressed by gzip, bzip2, xz or zstd",
              ErrorCause::unsupported);
}

std::unique_ptr<Decoder> make_decoder(std::string_view format, FileInput& input, Bytes memory_limit) {
  if (format == "tar.gz") return make_gzip_decoder(input);
  if (format == "tar.bz2") return make_bzip2_decoder(input);
  if (format == "tar.xz") return make_xz_decoder(input, memory_limit);
  if (format == "tar.zst") return make_zstd_decoder(input, memory_limit);
  return std::make_unique<PlainDecoder>(input);
}

std::unique_ptr<Decoder> make_block_decoder(std::string_view format, const ReadableFile& file, FileInput& input,
                                            Bytes memory_limit) {
  if (format == "tar.xz") return make_xz_block_decoder(file, input, memory_limit);
  if (format == "tar.bz2") return make_bzip2_block_decoder(file, input);
  return make_decoder(format, input, memory_limit);  // their blocks are members, streams, frames
}

Error damaged(const FileInput& input, std::string_view what) {
  return {ErrorCode::value_error,
          "archive " + quote(input.description()) + " is damaged near byte " + std::to_string(input.position()) + ": " +
              std::string(what),
          ErrorCause::damaged};
}

}  // namespace autoarchive::tar_internal
