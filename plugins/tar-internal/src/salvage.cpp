#include "salvage.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "file_input.hpp"
#include "member_reader.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kChunkBytes = 1U << 20U;
static_assert(kChunkBytes % kBlockBytes == 0);
// A member that is not known may be of an archive in the archive. More of them are not looked at.
constexpr int kMaxUnknownMembers = 16;
constexpr std::array<std::string_view, 5> kFormats{"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"};

bool is_header(HeaderView block) {
  constexpr std::size_t kMagic = 257;
  return std::memcmp(block.data() + kMagic, "ustar", 5) == 0 && has_valid_checksum(block);
}

/// How a part that decodes by itself begins; empty for formats that have none.
std::string_view signature_of(std::string_view format) {
  if (format == "tar.gz") return "\x1f\x8b\x08";
  if (format == "tar.bz2") return "BZh";
  if (format == "tar.zst") return "\x28\xb5\x2f\xfd";
  return {};
}

std::optional<ReadingPlace> find_in_plain(const ReadableFile& file, std::uint64_t from) {
  std::vector<std::byte> chunk(kChunkBytes);
  for (auto offset = (from + kBlockBytes - 1) / kBlockBytes * kBlockBytes;; offset += chunk.size()) {
    const auto size = file.read_at(offset, chunk);
    for (std::size_t at = 0; at + kBlockBytes <= size; at += kBlockBytes) {
      if (is_header(ByteView(chunk).subspan(at).first<kBlockBytes>()))
        return ReadingPlace{{offset + at, offset + at}, offset + at, true};
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

std::optional<ReadingPlace> find_in_xz(const ReadableFile& file, std::uint64_t from, Bytes decoder_memory) {
  for (const auto& block : xz_blocks(file, decoder_memory)) {
    if (block.offset < from) continue;
    if (const auto before = bytes_before_header(file, "tar.xz", block.offset, decoder_memory))
      return ReadingPlace{block, block.stream_offset + *before, true};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> offset_of_known_member(MemberReader& reader, const SalvageCalls& calls) {
  ArchiveMember member;
  for (int i = 0; i < kMaxUnknownMembers && reader.next(member); ++i) {
    if (const auto place = calls.place(member)) return *place - reader.member_offset();
  }
  return std::nullopt;
}

/// Gives the place its offsets into the stream; false if nobody knows them.
bool put_into_stream(const ReadableFile& file, std::string_view format, Bytes decoder_memory, const SalvageCalls& calls,
                     ReadingPlace& place) {
  if (place.is_in_stream || !calls.place) return true;
  try {
    MemberReader reader(file, format, decoder_memory, place.block, place.stream_offset);
    const auto begin = offset_of_known_member(reader, calls);
    if (!begin) return false;
    place = {{place.block.offset, place.block.stream_offset + *begin}, place.stream_offset + *begin, true};
    return true;
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    return false;
  }
}

/// By the beginning of the file, and where that is damaged, by its name.
std::string_view salvageable_format_of(const ReadableFile& file, const SalvageCalls& calls) {
  try {
    return format_of(file);
  } catch (const Error& error) {
    const auto name = file.description();
    const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                    [&](auto format) { return name.ends_with("." + std::string(format)); });
    if (found == kFormats.end()) throw;
    calls.damage(error);
    return *found;
  }
}

std::optional<ReadingPlace> find_place_from(const ReadableFile& file, std::string_view format, std::uint64_t from,
                                            Bytes decoder_memory, const SalvageCalls& calls) {
  for (;;) {
    auto place = find_member_from(file, format, from, decoder_memory);
    if (!place || put_into_stream(file, format, decoder_memory, calls, *place)) return place;
    from = place->block.offset + 1;
  }
}

}  // namespace

std::optional<ReadingPlace> find_member_from(const ReadableFile& file, std::string_view format, std::uint64_t from,
                                             Bytes decoder_memory) {
  if (format == "tar") return find_in_plain(file, from);
  if (format == "tar.xz") return find_in_xz(file, from, decoder_memory);
  const auto signature = signature_of(format);
  if (signature.empty()) return std::nullopt;
  for (;; ++from) {
    const auto offset = find_signature(file, signature, from);
    if (!offset) return std::nullopt;
    from = *offset;
    if (const auto before = bytes_before_header(file, format, *offset, decoder_memory))
      return ReadingPlace{{*offset, 0}, *before, false};
  }
}

void read_members_and_salvage(const ReadableFile& file, Bytes decoder_memory, const SalvageCalls& calls) {
  const auto format = salvageable_format_of(file, calls);
  std::optional<ReadingPlace> place = ReadingPlace{};
  while (place) {
    auto from = place->block.offset + 1;  // else the same would be found again
    std::unique_ptr<MemberReader> reader;
    try {
      reader = std::make_unique<MemberReader>(file, format, decoder_memory, place->block, place->stream_offset);
      for (ArchiveMember member; reader->next(member);) calls.member(*reader, member);
      reader->drain();  // what follows the last member may be what was damaged
      return;
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::damaged) throw;
      calls.damage(error);
      if (reader) from = std::max(from, reader->damaged_at());
    }
    place = find_place_from(file, format, from, decoder_memory, calls);
  }
}

}  // namespace autoarchive::tar_internal
