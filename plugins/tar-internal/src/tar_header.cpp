#include "tar_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kChecksumOffset = 148;
constexpr std::size_t kChecksumLength = 8;

void put(HeaderSpan block, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(block.data()) + offset);  // also of an empty one
}

// `length` bytes: digits and a NUL.
void put_octal(HeaderSpan block, std::size_t offset, std::size_t length, std::uint64_t value) {
  for (std::size_t i = length - 1; i-- > 0; value >>= 3U)
    block[offset + i] = static_cast<std::byte>('0' + (value & 7U));
}

#ifdef __SSE2__
std::uint64_t sum_of_bytes(HeaderView header) {
  auto lanes = _mm_setzero_si128();
  for (std::size_t i = 0; i < header.size(); i += sizeof lanes) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(header.data() + i));
    lanes = _mm_add_epi64(lanes, _mm_sad_epu8(bytes, _mm_setzero_si128()));
  }
  std::array<std::uint64_t, 2> sums{};
  std::memcpy(sums.data(), &lanes, sizeof lanes);
  return sums[0] + sums[1];
}
#else
std::uint64_t sum_of_bytes(HeaderView header) {
  // Eight bytes at a time: 64 sums of two bytes fit into 16 bits.
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FFU;
  std::uint64_t lanes = 0;
  std::uint64_t more_lanes = 0;
  for (std::size_t i = 0; i < header.size(); i += sizeof lanes) {
    std::uint64_t word = 0;
    std::memcpy(&word, header.data() + i, sizeof word);
    lanes += word & kEven;
    more_lanes += word >> 8U & kEven;
  }
  std::uint64_t sum = 0;
  for (unsigned shift = 0; shift < 64; shift += 16) sum += (lanes >> shift & 0xFFFFU) + (more_lanes >> shift & 0xFFFFU);
  return sum;
}
#endif

std::uint64_t checksum(HeaderView header) {
  std::uint64_t sum = sum_of_bytes(header);
  for (const auto byte : header.subspan<kChecksumOffset, kChecksumLength>())
    sum -= std::to_integer<std::uint64_t>(byte);
  return sum + kChecksumLength * ' ';
}

}  // namespace

void format_header(const UstarFields& fields, HeaderSpan block) {
  std::memset(block.data(), 0, block.size());
  put(block, 0, fields.name);
  put_octal(block, 100, 8, fields.mode);
  put_octal(block, 108, 8, fields.uid);
  put_octal(block, 116, 8, fields.gid);
  put_octal(block, 124, 12, fields.size);
  put_octal(block, 136, 12, fields.mtime);
  block[156] = static_cast<std::byte>(fields.typeflag);
  put(block, 157, fields.linkname);
  put(block, 257,
      std::string_view("ustar\0"
                       "00",
                       8));
  put(block, 265, fields.uname);
  put(block, 297, fields.gname);
  put_octal(block, 329, 8, fields.devmajor);
  put_octal(block, 337, 8, fields.devminor);
  put(block, 345, fields.prefix);
  put_octal(block, kChecksumOffset, 7, checksum(block));
  block[kChecksumOffset + 7] = std::byte{' '};
}

bool split_name(std::string_view path, UstarFields& fields) {
  if (path.size() <= kMaxName) {
    fields.name = path;
    return true;
  }
  // The slash between them is not stored; a directory's own slash at the end stays with the name.
  const auto earliest = path.size() - kMaxName - 1;
  const auto slash = path.find('/', earliest);
  if (slash == std::string_view::npos || slash == 0 || slash > kMaxPrefix || slash + 1 == path.size()) return false;
  fields.prefix = path.substr(0, slash);
  fields.name = path.substr(slash + 1);
  return true;
}

bool has_valid_checksum(HeaderView header) {
  // V7 tar summed signed bytes on some machines.
  std::int64_t signed_sum = kChecksumLength * ' ';
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (i < kChecksumOffset || i >= kChecksumOffset + kChecksumLength)
      signed_sum += static_cast<signed char>(header[i]);
  }
  const auto stored = parse_number(header.subspan<kChecksumOffset, kChecksumLength>());
  return stored != 0 && (stored == checksum(header) || static_cast<std::int64_t>(stored) == signed_sum);
}

std::uint64_t parse_number(std::span<const std::byte> field) {
  const auto first = std::to_integer<unsigned>(field.front());
  if (first == 0xFF) return 0;
  std::uint64_t value = 0;
  if ((first & 0x80U) != 0) {
    value = first & 0x7FU;
    for (const auto byte : field.subspan(1)) {
      if (value >> 55U != 0) return 0;
      value = value << 8U | std::to_integer<std::uint64_t>(byte);
    }
    return value;
  }
  for (const auto byte : field) {
    const auto c = std::to_integer<char>(byte);
    if (c == ' ' && value == 0) continue;
    if (c < '0' || c > '7') break;
    value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string_view parse_string(std::span<const std::byte> field) {
  const std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

}  // namespace autoarchive::tar_internal
