#include "json_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";

[[noreturn]] void damaged(const char* what) {
  throw Error(ErrorCode::value_error, std::string("not a manifest's line: ") + what, ErrorCause::damaged);
}

// Of a member: comma, key in quotes, colon and a number.
constexpr std::size_t kMaxKeyBytes = 16;
constexpr std::size_t kMaxMemberBytes = kMaxKeyBytes + 4 + 24;

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | c >> 6U);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | c >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | c >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

void JsonLineWriter::append_string(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    const auto stop = std::find_if_not(value.begin(), value.end(), is_plain);
    out.append(value.begin(), stop);
    value.remove_prefix(static_cast<std::size_t>(stop - value.begin()));
    if (value.empty()) break;
    const char c = value.front();
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', kHexDigits[byte >> 4U], kHexDigits[byte & 0xFU]};
    } else {
      out += {'\\', c};
    }
    value.remove_prefix(1);
  }
  out += '"';
}

char* JsonLineWriter::put_key(char* place, std::string_view name) {
  if (name.size() > kMaxKeyBytes) throw Error(ErrorCode::value_error, "a key is too long", ErrorCause::internal);
  if (!first_) *place++ = ',';
  first_ = false;
  *place++ = '"';
  place = std::copy(name.begin(), name.end(), place);
  *place++ = '"';
  *place++ = ':';
  return place;
}

// A line has a dozen numbers: each is put together aside and appended at once.
template <class Number>
void JsonLineWriter::append_number(std::string_view name, Number value) {
  std::array<char, kMaxMemberBytes> member;
  auto* const digits = put_key(member.data(), name);
  auto* const end = std::to_chars(digits, member.data() + member.size(), value).ptr;
  out_.append(member.data(), end);
}

void JsonLineWriter::text(std::string_view name, std::string_view base64_key, std::string_view value) {
  if (is_utf8(value)) return text(name, value);
  text(base64_key, to_base64(value));
}

void JsonLineWriter::text(std::string_view name, std::string_view value) {
  append_string(raw(name), value);
}

void JsonLineWriter::number(std::string_view name, std::uint64_t value) {
  append_number(name, value);
}

void JsonLineWriter::signed_number(std::string_view name, std::int64_t value) {
  append_number(name, value);
}

void JsonLineWriter::hex(std::string_view name, std::uint64_t value) {
  std::array<char, kMaxMemberBytes> member;
  auto* place = put_key(member.data(), name);
  *place++ = '"';
  for (unsigned shift = 64; shift != 0;) {
    shift -= 4;
    *place++ = kHexDigits[value >> shift & 0xFU];
  }
  *place++ = '"';
  out_.append(member.data(), place);
}

std::string& JsonLineWriter::raw(std::string_view name) {
  std::array<char, kMaxMemberBytes> key;
  out_.append(key.data(), put_key(key.data(), name));
  return out_;
}

char JsonLineReader::peek() {
  if (rest_.empty()) damaged("it is cut short");
  return rest_.front();
}

void JsonLineReader::expect(char c) {
  if (peek() != c) damaged("a separator is missing");
  rest_.remove_prefix(1);
}

void JsonLineReader::begin_object() {
  expect('{');
  fresh_ = true;
}

bool JsonLineReader::next_member() {
  const bool first = std::exchange(fresh_, false);
  if (peek() == '}') {
    rest_.remove_prefix(1);
    return false;
  }
  if (!first) expect(',');
  read_key();
  expect(':');
  return true;
}

// A view into the line, as keys have no escapes unless somebody else has written them. Nearly all are one letter.
void JsonLineReader::read_key() {
  const bool is_letter = rest_.size() > 3 && rest_[0] == '"' && rest_[2] == '"' && rest_[1] >= 'A' && rest_[1] <= 'z';
  if (is_letter && rest_[1] != '\\') {
    key_ = rest_.substr(1, 1);
    rest_.remove_prefix(3);
    return;
  }
  const auto end = rest_.size() > 1 && rest_.front() == '"' ? rest_.find('"', 1) : std::string_view::npos;
  const auto plain = rest_.substr(0, end);
  if (end != std::string_view::npos && plain.find('\\') == std::string_view::npos) {
    key_ = plain.substr(1);
    rest_.remove_prefix(end + 1);
    return;
  }
  text(decoded_key_);
  key_ = decoded_key_;
}

void JsonLineReader::begin_array() {
  expect('[');
  fresh_ = true;
}

bool JsonLineReader::next_element() {
  const bool first = std::exchange(fresh_, false);
  if (peek() == ']') {
    rest_.remove_prefix(1);
    return false;
  }
  if (!first) expect(',');
  return true;
}

void JsonLineReader::text(std::string& out) {
  expect('"');
  const auto quote = rest_.find('"');
  if (quote == std::string_view::npos) damaged("a string does not end");
  const auto plain = rest_.substr(0, quote);
  if (plain.find('\\') != std::string_view::npos) return text_with_escapes(out);
  out = plain;
  rest_.remove_prefix(quote + 1);
}

void JsonLineReader::text_with_escapes(std::string& out) {
  out.clear();
  for (;;) {
    const auto stop = rest_.find_first_of("\"\\");
    if (stop == std::string_view::npos) damaged("a string does not end");
    out += rest_.substr(0, stop);
    const char c = rest_[stop];
    rest_.remove_prefix(stop + 1);
    if (c == '"') return;
    append_escape(out);
  }
}

unsigned JsonLineReader::read_code_unit() {
  unsigned unit = 0;
  const auto digits = rest_.substr(0, 4);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (digits.size() != 4 || parsed.ptr != digits.data() + 4) damaged("a \\u escape is wrong");
  rest_.remove_prefix(4);
  return unit;
}

void JsonLineReader::append_escape(std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = peek();
  rest_.remove_prefix(1);
  if (letter != 'u') {
    const auto index = kLetters.find(letter);
    if (index == std::string_view::npos) damaged("an escape is unknown");
    out += kMeanings[index];
    return;
  }
  char32_t unit = read_code_unit();
  if (unit >= 0xD800 && unit < 0xDC00) {
    expect('\\');
    expect('u');
    const char32_t low = read_code_unit();
    if (low < 0xDC00 || low > 0xDFFF) damaged("a surrogate has no other half");
    unit = 0x10000 + ((unit - 0xD800) << 10U) + (low - 0xDC00);
  }
  append_utf8(out, unit);
}

void JsonLineReader::base64(std::string& out) {
  text(out);
  auto decoded = from_base64(out);
  if (!decoded) damaged("base64 is wrong");
  out = std::move(*decoded);
}

// Most of a manifest is numbers. Fewer digits than would overflow; false, with nothing taken, if there are more, or
// none.
bool JsonLineReader::short_number(std::uint64_t& value) {
  constexpr std::size_t kMaxDigits = 18;
  std::size_t digits = 0;
  for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
    if (digits == kMaxDigits) return false;
    value = value * 10 + static_cast<std::uint64_t>(rest_[digits] - '0');
  }
  rest_.remove_prefix(digits);
  return digits != 0;
}

std::uint64_t JsonLineReader::number() {
  if (std::uint64_t quick = 0; short_number(quick)) return quick;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (parsed.ec != std::errc()) damaged("a number is wrong");
  rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
  return value;
}

std::int64_t JsonLineReader::signed_number() {
  if (std::uint64_t quick = 0; short_number(quick)) return static_cast<std::int64_t>(quick);
  std::int64_t value = 0;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (parsed.ec != std::errc()) damaged("a number is wrong");
  rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
  return value;
}

std::uint64_t JsonLineReader::hex() {
  expect('"');
  std::uint64_t value = 0;
  const auto digits = rest_.substr(0, 16);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 16 || parsed.ptr != digits.data() + 16) damaged("a digest is wrong");
  rest_.remove_prefix(16);
  expect('"');
  return value;
}

void JsonLineReader::skip(int depth) {
  if (depth > kMaxDepth) damaged("a value is nested too deeply");
  std::string ignored;
  switch (peek()) {
    case '"':
      return text(ignored);
    case '{':
      begin_object();
      while (next_member()) {
        skip(depth + 1);
        fresh_ = false;
      }
      fresh_ = false;
      return;
    case '[':
      begin_array();
      while (next_element()) {
        skip(depth + 1);
        fresh_ = false;
      }
      fresh_ = false;
      return;
    default:
      break;
  }
  const auto end = rest_.find_first_of(",]}");
  if (end == 0 || end == std::string_view::npos) damaged("a value is missing");
  rest_.remove_prefix(end);
}

void JsonLineReader::end() const {
  if (!rest_.empty()) damaged("something follows its end");
}

}  // namespace autoarchive
