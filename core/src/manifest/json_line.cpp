#include "json_line.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr int kMaxDepth = 16;

[[noreturn]] void damaged(const char* what) {
  throw Error(ErrorCode::value_error, std::string("not a manifest's line: ") + what, ErrorCause::damaged);
}

template <class Number>
void append_number(std::string& out, Number value, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), end);
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
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', kHexDigits[byte >> 4U], kHexDigits[byte & 0xFU]};
    } else {
      out += c;
    }
  }
  out += '"';
}

void JsonLineWriter::key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void JsonLineWriter::text(std::string_view name, std::string_view base64_key, std::string_view value) {
  if (is_utf8(value)) return text(name, value);
  text(base64_key, to_base64(value));
}

void JsonLineWriter::text(std::string_view name, std::string_view value) {
  key(name);
  append_string(out_, value);
}

void JsonLineWriter::number(std::string_view name, std::uint64_t value) {
  key(name);
  append_number(out_, value);
}

void JsonLineWriter::signed_number(std::string_view name, std::int64_t value) {
  key(name);
  append_number(out_, value);
}

void JsonLineWriter::hex(std::string_view name, std::uint64_t value) {
  key(name);
  std::string digits;
  append_number(digits, value, 16);
  out_ += '"';
  out_.append(16 - digits.size(), '0');
  out_ += digits;
  out_ += '"';
}

std::string& JsonLineWriter::raw(std::string_view name) {
  key(name);
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
  text(key_);
  expect(':');
  return true;
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
  out.clear();
  for (;;) {
    const auto plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) damaged("a string does not end");
    out += rest_.substr(0, plain);
    const char stop = rest_[plain];
    rest_.remove_prefix(plain + 1);
    if (stop == '"') return;
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

std::uint64_t JsonLineReader::number() {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (parsed.ec != std::errc()) damaged("a number is wrong");
  rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
  return value;
}

std::int64_t JsonLineReader::signed_number() {
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
