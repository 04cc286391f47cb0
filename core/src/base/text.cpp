#include "autoarchive/base/text.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// One code point at the front: its length, or 0 if the bytes are not UTF-8 (RFC 3629: no overlong forms, no
/// surrogates).
std::size_t decode(std::string_view text, char32_t& code_point) {
  const unsigned first = byte_at(text, 0);
  const std::size_t length = first < 0x80U          ? 1
                             : (first >> 5U) == 6U  ? 2
                             : (first >> 4U) == 14U ? 3
                             : (first >> 3U) == 30U ? 4
                                                    : 0;
  if (length == 0 || text.size() < length) return 0;
  constexpr std::array<unsigned, 5> kMasks{0, 0x7F, 0x1F, 0x0F, 0x07};
  code_point = first & kMasks.at(length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return 0;
    code_point = code_point << 6U | (byte_at(text, i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point < kSmallest.at(length) || code_point > 0x10FFFF || surrogate ? 0 : length;
}

// How many bytes at the beginning are ASCII, about: whole words of them. Nearly all names are nothing else.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t length = 0;
  for (std::uint64_t word = 0; length + sizeof word <= text.size(); length += sizeof word) {
    std::memcpy(&word, text.data() + length, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return length;
}

// Controls, and the marks that make a terminal show text in another order than it stands.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_escaped_byte(std::string& out, unsigned byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      out += {'\\', 'x', kHexDigits[byte >> 4U], kHexDigits[byte & 0xFU]};
  }
}

std::string escape(std::string_view text, std::string_view also) {
  const auto is_plain = [also](char c) {
    return c >= 0x20 && c < 0x7F && std::find(also.begin(), also.end(), c) == also.end();
  };
  std::string out;
  while (!text.empty()) {
    const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
    out.append(text.begin(), stop);
    text.remove_prefix(static_cast<std::size_t>(stop - text.begin()));
    if (text.empty()) break;
    char32_t code_point = 0;
    const auto length = decode(text, code_point);
    const auto taken = std::max<std::size_t>(length, 1);
    if (length == 1 && also.find(text.front()) != std::string_view::npos) {
      out += {'\\', text.front()};
    } else if (length == 0 || is_unsafe(code_point)) {
      for (std::size_t i = 0; i < taken; ++i) append_escaped_byte(out, byte_at(text, i));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) break;
    char32_t code_point = 0;
    const auto length = decode(bytes, code_point);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string quote(std::string_view name) {
  return "'" + escape(name, "\\'") + "'";
}
std::string escaped(std::string_view text) {
  return escape(text, "\\");
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = byte_at(bytes, i) << 16U;
    if (count > 1) group |= byte_at(bytes, i + 1) << 8U;
    if (count > 2) group |= byte_at(bytes, i + 2);
    out += kBase64Digits[group >> 18U];
    out += kBase64Digits[group >> 12U & 63U];
    out += count > 1 ? kBase64Digits[group >> 6U & 63U] : '=';
    out += count > 2 ? kBase64Digits[group & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const auto quartet = text.substr(i, 4);
    const bool last = i + 4 == text.size();
    const std::size_t padding = last && quartet.ends_with("==") ? 2 : last && quartet.ends_with('=') ? 1 : 0;
    unsigned group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const auto digit = j >= 4 - padding ? 0 : kBase64Digits.find(quartet[j]);
      if (digit == std::string_view::npos) return std::nullopt;
      group = group << 6U | static_cast<unsigned>(digit);
    }
    for (std::size_t j = 0; j < 3 - padding; ++j) out += static_cast<char>(group >> (16 - 8 * j) & 0xFFU);
  }
  return out;
}

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out += kHexDigits[std::to_integer<unsigned>(byte) >> 4U];
    out += kHexDigits[std::to_integer<unsigned>(byte) & 0xFU];
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  constexpr std::size_t kLongestWord = 256;  // a longer one is no typing error, and each comparison takes the product
  if (word.size() > kLongestWord) return best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

bool is_id(std::string_view text) noexcept {
  constexpr std::size_t kMaxIdBytes = 64;
  return !text.empty() && text.size() <= kMaxIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::string make_uuid() {
  std::array<std::byte, 16> bytes{};
  for (std::size_t filled = 0; filled < bytes.size();) {
    const auto got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got < 0 && errno != EINTR) throw Error::from_errno(errno, "getrandom");
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  auto text = to_hex(bytes);
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace autoarchive
