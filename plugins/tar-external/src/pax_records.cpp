#include "pax_records.hpp"

#include <charconv>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_external {
namespace {

struct Record {
  std::string_view whole;
  std::string_view key;
  std::string_view value;
};

[[noreturn]] void malformed() {
  throw Error(ErrorCode::runtime_error, "tar wrote a pax header that is malformed; is it GNU tar?");
}

Record take_record(std::string_view& rest) {
  std::size_t length = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), length);
  const auto digits = static_cast<std::size_t>(parsed.ptr - rest.data());
  if (parsed.ec != std::errc() || length > rest.size() || length < digits + 3 || rest[digits] != ' ' ||
      rest[length - 1] != '\n')
    malformed();
  Record record;
  record.whole = rest.substr(0, length);
  const auto text = record.whole.substr(digits + 1, length - digits - 2);
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) malformed();
  record.key = text.substr(0, equals);
  record.value = text.substr(equals + 1);
  rest.remove_prefix(length);
  return record;
}

// The length counts its own digits.
std::string make_record(std::string_view key, std::string_view value) {
  const auto bare = key.size() + value.size() + 3;
  auto length = bare + 1;
  while (std::to_string(length).size() + bare != length) ++length;
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

}  // namespace

std::optional<std::string_view> pax_value(std::string_view records, std::string_view key) {
  std::optional<std::string_view> value;
  while (!records.empty()) {
    const auto record = take_record(records);
    if (record.key == key) value = record.value;
  }
  return value;
}

std::string replace_pax_record(std::string_view records, std::string_view key, std::optional<std::string_view> value) {
  std::string replaced;
  while (!records.empty()) {
    const auto record = take_record(records);
    if (record.key != key) replaced += record.whole;
  }
  if (value) replaced += make_record(key, *value);
  return replaced;
}

}  // namespace autoarchive::tar_external
