#include "pax_records.hpp"

#include <charconv>
#include <cstdint>
#include <string>

#include "acl_text.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint32_t kSecond = 1'000'000'000;  // in nanoseconds
constexpr std::size_t kFractionDigits = 9;

// "=" ends a record's key: GNU tar writes it, and the "%" that this needs, by their codes.
std::string encode_xattr_name(std::string_view name) {
  std::string encoded;
  for (const char c : name) {
    if (c == '=') {
      encoded += "%3D";
    } else if (c == '%') {
      encoded += "%25";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

}  // namespace

void PaxRecords::add(std::string_view key, std::string_view value) {
  // The length counts its own digits.
  const auto rest = key.size() + value.size() + 3;
  auto digits = std::to_string(rest + 1);
  for (auto before = std::size_t{0}; before != digits.size();) {
    before = digits.size();
    digits = std::to_string(rest + before);
  }
  text_ += digits;
  text_ += ' ';
  text_ += key;
  text_ += '=';
  text_ += value;
  text_ += '\n';
}

void PaxRecords::add_time(std::string_view key, const Timestamp& time) {
  if (time.nanoseconds == 0) return add(key, std::to_string(time.seconds));
  // Before 1970 the fraction counts from the other side: -1 s and 0.25 s is -0.75 s.
  const bool negative = time.seconds < 0;
  auto text = (negative ? "-" : "") + std::to_string(negative ? -(time.seconds + 1) : time.seconds);
  const auto fraction = std::to_string(negative ? kSecond - time.nanoseconds : time.nanoseconds);
  text.append(1, '.').append(kFractionDigits - fraction.size(), '0').append(fraction);
  add(key, text);
}

void PaxRecords::add_xattr(const Xattr& xattr) {
  if (xattr.name == "security.selinux") {
    std::string_view label(xattr.value);
    if (label.ends_with('\0')) label.remove_suffix(1);
    return add("RHT.security.selinux", label);
  }
  const bool is_access = xattr.name == kAccessAcl;
  if (is_access || xattr.name == kDefaultAcl) {
    if (const auto text = acl_to_text(xattr.value))
      return add(is_access ? "SCHILY.acl.access" : "SCHILY.acl.default", *text);
  }
  add("SCHILY.xattr." + encode_xattr_name(xattr.name), xattr.value);
}

std::optional<Timestamp> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Timestamp time;
  const auto* end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, time.seconds);
  if (whole.ec != std::errc() || time.seconds < 0) return std::nullopt;
  const auto* at = whole.ptr;
  if (at != end && *at == '.') {
    std::uint32_t scale = 100'000'000;
    for (++at; at != end && *at >= '0' && *at <= '9'; ++at) {
      time.nanoseconds += static_cast<std::uint32_t>(*at - '0') * scale;
      scale /= 10;
    }
  }
  if (at != end) return std::nullopt;
  if (!negative) return time;
  if (time.nanoseconds == 0) return Timestamp{-time.seconds, 0};
  return Timestamp{-time.seconds - 1, kSecond - time.nanoseconds};
}

bool next_pax_record(std::string_view& rest, std::string_view& key, std::string_view& value) {
  std::size_t length = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), length);
  const auto digits = static_cast<std::size_t>(parsed.ptr - rest.data());
  if (parsed.ec != std::errc() || length > rest.size() || length < digits + 3 || rest[digits] != ' ' ||
      rest[length - 1] != '\n') {
    return false;
  }
  const auto record = rest.substr(digits + 1, length - digits - 2);
  const auto equals = record.find('=');
  if (equals == std::string_view::npos) return false;
  key = record.substr(0, equals);
  value = record.substr(equals + 1);
  rest.remove_prefix(length);
  return true;
}

}  // namespace autoarchive::tar_internal
