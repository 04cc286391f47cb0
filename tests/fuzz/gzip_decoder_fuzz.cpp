// The gzip decoder, which uses ISA-L where it can, against zlib: both yield the same bytes, or both refuse the file.
// ISA-L also takes sets of codes that zlib refuses because they have room for more codes; what it makes of them has to
// have the checksum of its content like everything else.
//
// An input is looked at as it is; with the checksums and lengths that its content has, so that a changed stream is
// compared to its end; and as the content of members that an encoder makes, one bit of which is then flipped.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "codec.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

constexpr std::size_t kMaxContentBytes = 4U << 20U;  // a bomb is not followed to its end
constexpr std::size_t kMaxMembers = 1000;
constexpr std::size_t kSizedHeaderBytes = 20;  // a member that says its own size, as ours do

struct Member {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool is_whole = false;
  bool has_odd_codes = false;  // zlib can't tell whether the rest is right
  bool has_wrong_checksum = false;
  bool has_wrong_length = false;
};

/// Inflates a member by zlib, its content to the end of `content`.
Member inflate_member(ByteView file, std::string& content) {
  z_stream stream{};
  expect(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK, "zlib begins");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(file.data()));
  stream.avail_in = static_cast<uInt>(file.size());
  std::array<char, 16'384> piece{};
  Member member;
  int result = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    result = inflate(&stream, Z_NO_FLUSH);
    content.append(piece.data(), piece.size() - stream.avail_out);
  } while (result == Z_OK && content.size() < kMaxContentBytes && stream.avail_out != piece.size());
  member.consumed = stream.total_in;
  member.produced = stream.total_out;
  member.is_whole = result == Z_STREAM_END;
  const std::string_view message = stream.msg == nullptr ? "" : stream.msg;
  member.has_odd_codes = message == "invalid distances set" || message == "invalid literal/lengths set";
  member.has_wrong_checksum = message == "incorrect data check";
  member.has_wrong_length = message == "incorrect length check";
  inflateEnd(&stream);
  return member;
}

void put_32(std::byte* place, std::size_t value) {
  for (unsigned i = 0; i < 4; ++i) place[i] = static_cast<std::byte>(value >> 8 * i & 0xFFU);
}

/// Gives the members that are whole but for their trailers the right ones.
std::vector<std::byte> repaired(ByteView input) {
  std::vector<std::byte> file(input.begin(), input.end());
  std::size_t at = 0;
  for (std::size_t tries = 0; tries < kMaxMembers && at < file.size();) {
    std::string content;
    const auto member = inflate_member(ByteView(file).subspan(at), content);
    auto* const end = file.data() + at + member.consumed;
    if (member.has_wrong_checksum) {
      const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
      put_32(end - 4, crc32_z(0, bytes, content.size()));
    } else if (member.has_wrong_length) {
      put_32(end - 4, member.produced);
    } else if (member.is_whole) {
      at += member.consumed;
    } else {
      break;
    }
    ++tries;
  }
  return file;
}

/// The content of the file; none if it has to be refused. The rules are those of the decoder: members, then zeros.
/// `is_known`: false if a decoder may as well accept it.
std::optional<std::string> reference(ByteView file, bool& is_known) {
  std::string content;
  is_known = true;
  bool has_members = false;
  while (!file.empty() && content.size() < kMaxContentBytes) {
    if (file.front() == std::byte{0} && has_members) {
      const bool is_padding = std::all_of(file.begin(), file.end(), [](std::byte b) { return b == std::byte{0}; });
      return is_padding ? std::optional(content) : std::nullopt;
    }
    const auto member = inflate_member(file, content);
    if (content.size() >= kMaxContentBytes) break;
    is_known = !member.has_odd_codes;
    if (!member.is_whole) return std::nullopt;
    constexpr std::string_view kSizedHeader("\x1f\x8b\x08\x04\0\0\0\0\0\3\x08\0AA\4\0", 16);
    if (member.consumed >= kSizedHeaderBytes && text_of(file.first(kSizedHeader.size())) == kSizedHeader) {
      std::array<std::byte, 4> size{};
      put_32(size.data(), member.consumed);
      if (std::memcmp(size.data(), &file[kSizedHeader.size()], size.size()) != 0) return std::nullopt;
    }
    has_members = true;
    file = file.subspan(member.consumed);
  }
  return content;
}

std::optional<std::string> decoded(ByteView input) {
  const PiecewiseFile file(input);
  tar_internal::FileInput bytes(file);
  Numbers numbers(input);
  std::vector<std::byte> out(numbers.next(0, 1) == 0 ? 64 : 8192);
  std::string content;
  const bool is_accepted = accepts([&] {
    const auto decoder = tar_internal::make_gzip_decoder(bytes);
    while (content.size() < kMaxContentBytes) {
      const auto room = std::span(out).first(numbers.next(1, out.size()));
      const auto size = decoder->read(room);
      expect(size <= room.size(), "no more is read than there is room for");
      if (size == 0) break;
      content.append(reinterpret_cast<const char*>(room.data()), size);
    }
  });
  return is_accepted ? std::optional(std::move(content)) : std::nullopt;
}

/// `content` by zlib in one of its many ways: any strategy and window, flushed and changed in the middle.
void append_member(std::vector<std::byte>& file, ByteView content, Numbers& numbers) {
  z_stream stream{};
  gz_header header{};
  const auto window = static_cast<int>(numbers.next(9, MAX_WBITS)) + 16;
  const auto memory = static_cast<int>(numbers.next(1, MAX_MEM_LEVEL));
  const auto level = [&] { return static_cast<int>(numbers.next(0, 9)); };
  const auto strategy = [&] { return static_cast<int>(numbers.next(Z_DEFAULT_STRATEGY, Z_FIXED)); };
  expect(deflateInit2(&stream, level(), Z_DEFLATED, window, memory, strategy()) == Z_OK, "zlib begins");
  std::array<Bytef, 40> text{"a name or a comment"};
  if (numbers.next(0, 1) == 0) header.name = text.data() + numbers.next(0, 19);
  if (numbers.next(0, 1) == 0) header.comment = text.data() + numbers.next(0, 19);
  if (numbers.next(0, 1) == 0) header.extra = text.data();
  header.extra_len = static_cast<uInt>(numbers.next(0, text.size()));
  header.hcrc = static_cast<int>(numbers.next(0, 1));
  deflateSetHeader(&stream, &header);
  std::array<std::byte, 4096> piece{};
  const auto step = [&](int flush) {
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = piece.size();
      deflate(&stream, flush);
      file.insert(file.end(), piece.begin(), piece.end() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  while (!content.empty()) {
    const auto part = content.first(numbers.next(1, content.size()));
    content = content.subspan(part.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    step(static_cast<int>(numbers.next(Z_NO_FLUSH, Z_FULL_FLUSH)));
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    deflateParams(&stream, level(), strategy());
    file.insert(file.end(), piece.begin(), piece.end() - stream.avail_out);
  }
  step(Z_FINISH);
  deflateEnd(&stream);
}

/// Parts of the input in any order, in every fourth case more of them than a window holds.
std::string content_of(ByteView input, Numbers& numbers) {
  const auto wanted = numbers.next(0, 3) == 0 ? numbers.next(1, 200'000) : input.size();
  std::string content(text_of(input));
  while (content.size() < wanted) {
    const auto begin = numbers.next(0, input.size() - 1);
    content += text_of(input).substr(begin, numbers.next(1, input.size()));
    content += static_cast<char>(numbers.next(0, 255));
  }
  return content;
}

/// A file of one to three members, by zlib or by one of our compressors.
std::vector<std::byte> encoded(ByteView input, Numbers& numbers) {
  const auto text = content_of(input, numbers);
  const auto content = bytes_of(text);
  std::vector<std::byte> file;
  for (auto members = numbers.next(1, 3); members != 0; --members) {
    if (numbers.next(0, 2) != 0) {
      append_member(file, content, numbers);
    } else {
      const auto format = tar_internal::make_gzip_format(static_cast<int>(numbers.next(0, 9)));
      format->make_compressor()->compress(content, file);
    }
  }
  return file;
}

void compare(ByteView file) {
  bool is_known = true;
  const auto wanted = reference(file, is_known);
  const auto found = decoded(file);
  expect(found.has_value() || !wanted, "a file that zlib accepts is accepted");
  expect(wanted.has_value() || !found || !is_known, "a file that zlib refuses is refused");
  if (!wanted || !found) return;
  const auto compared = std::min(kMaxContentBytes, std::max(found->size(), wanted->size()));
  expect(std::string_view(*wanted).substr(0, compared) == std::string_view(*found).substr(0, compared),
         "the content is that which zlib finds");
}

}  // namespace

void take_input(ByteView input) {
  compare(input);
  compare(repaired(input));
  Numbers numbers(input);
  if (input.empty() || numbers.next(0, 3) != 0) return;  // it takes longer than all before
  auto file = encoded(input, numbers);
  bool is_known = true;
  expect(reference(file, is_known).has_value(), "zlib reads what was made");
  compare(file);
  file[numbers.next(0, file.size() - 1)] ^= std::byte{1} << numbers.next(0, 7);
  compare(repaired(file));
}

}  // namespace autoarchive::fuzz
