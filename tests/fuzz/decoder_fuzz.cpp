// The decoder of AA_FUZZ_FORMAT: whatever the pieces in which a file comes, the content is the same, or the file is
// refused. Our encoder's files come back.
#include <algorithm>
#include <optional>
#include <vector>

#include "codec.hpp"
#include "support/memory_file.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

constexpr std::string_view kFormat = AA_FUZZ_FORMAT;
constexpr std::size_t kMaxContentBytes = 4U << 20U;  // a bomb is not followed to its end
constexpr Bytes kDecoderMemory{16U << 20U};

struct Decoded {
  std::string content;  // up to the limit, or to what is wrong
  bool is_accepted = false;
};

/// `largest`: room that is offered at a time.
Decoded decoded(const ReadableFile& file, Numbers numbers, std::size_t largest) {
  tar_internal::FileInput bytes(file);
  std::vector<std::byte> out(largest);
  Decoded result;
  auto& content = result.content;
  result.is_accepted = accepts([&] {
    const auto decoder = tar_internal::make_decoder(kFormat, bytes, kDecoderMemory);
    while (content.size() < kMaxContentBytes) {
      const auto room = std::span(out).first(std::min(numbers.next(1, out.size()), kMaxContentBytes - content.size()));
      const auto size = decoder->read(room);
      expect(size <= room.size(), "no more is read than there is room for");
      if (size == 0) return;
      content.append(reinterpret_cast<const char*>(room.data()), size);
    }
  });
  return result;
}

/// None if the file is refused.
std::optional<std::string> decoded(ByteView input) {
  const Numbers numbers(input);
  auto in_pieces = decoded(PiecewiseFile(input), numbers, 300);
  const auto whole = decoded(test::MemoryFile(input), numbers, 100'000);
  // What is wrong at the limit is met by some pieces and not by others.
  const bool is_cut = std::max(in_pieces.content.size(), whole.content.size()) == kMaxContentBytes;
  const bool is_same =
      in_pieces.is_accepted == whole.is_accepted && (!whole.is_accepted || in_pieces.content == whole.content);
  const auto common = std::min(in_pieces.content.size(), whole.content.size());
  const bool begins_alike = in_pieces.content.compare(0, common, whole.content, 0, common) == 0;
  expect(is_cut ? begins_alike : is_same, "the pieces make no difference");
  return in_pieces.is_accepted ? std::optional(std::move(in_pieces.content)) : std::nullopt;
}

/// As if the input were a file of which a manifest says that a block begins at some place.
void decode_from_the_middle(ByteView input) {
  const test::MemoryFile file(input);
  Numbers numbers(input);
  tar_internal::FileInput bytes(file, numbers.next(0, input.size()));
  std::vector<std::byte> out(4096);
  std::size_t content_bytes = 0;
  static_cast<void>(accepts([&] {
    const auto decoder = tar_internal::make_block_decoder(kFormat, file, bytes, kDecoderMemory);
    for (auto size = decoder->read(out); size != 0 && content_bytes < kMaxContentBytes; size = decoder->read(out))
      content_bytes += size;
  }));
}

void encode_and_decode(ByteView input) {
  const auto format = tar_internal::make_format(kFormat, 1);
  tar_internal::Buffer file;
  tar_internal::Buffer block;
  format->append_start(file);
  if (!input.empty()) {
    format->make_compressor()->compress(input, block);
    format->block_written(block, input.size());
    file.insert(file.end(), block.begin(), block.end());
  }
  format->append_end(file);
  const auto content = decoded(file);
  expect(content.has_value() && *content == text_of(input), "what was encoded comes back");
}

}  // namespace

void take_input(ByteView input) {
  static_cast<void>(decoded(input));
  decode_from_the_middle(input);
  if (Numbers(input).next(0, 15) == 0) encode_and_decode(input);
}

}  // namespace autoarchive::fuzz
