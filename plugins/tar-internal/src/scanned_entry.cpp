#include "scanned_entry.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "acl_text.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::string_view kXattrPrefix = "SCHILY.xattr.";
constexpr std::string_view kLibarchivePrefix = "LIBARCHIVE.xattr.";
constexpr std::uint32_t kNoOwner = std::numeric_limits<std::uint32_t>::max();

std::string decode_xattr_name(std::string_view name) {
  std::string decoded;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto code = name.substr(i, 3);
    const bool escaped = code == "%3D" || code == "%25";
    decoded += !escaped ? name[i] : code == "%3D" ? '=' : '%';
    if (escaped) i += 2;
  }
  return decoded;
}

// All that is not a plain character, in names that bsdtar writes.
std::string decode_url(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(i + 1, 2);
    unsigned code = 0;
    const bool is_code = text[i] == '%' && digits.size() == 2 &&
                         std::from_chars(digits.data(), digits.data() + 2, code, 16).ptr == digits.data() + 2;
    decoded += is_code ? static_cast<char>(code) : text[i];
    if (is_code) i += 2;
  }
  return decoded;
}

/// RFC 4648, with or without padding; none if it is not that.
std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string decoded;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    decoded += static_cast<char>(bits >> count & 0xFFU);
  }
  return decoded;
}

/// The records of a list of names: a letter, the rest.
template <class Call>
void for_each_record(std::string_view text, const Call& call) {
  while (!text.empty() && text.front() != '\0') {
    const auto record = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.size(), record.size() + 1));
    call(record.front(), record.substr(1));
  }
}

bool is_of_name(char control, std::string_view name) {
  return (control == 'Y' || control == 'N' || control == 'D') && !name.empty();
}

/// None if it can't be the name and value of one.
std::optional<Xattr> libarchive_xattr(std::string_view name, std::string_view value) {
  auto decoded_name = decode_url(name);
  auto decoded = decode_base64(value);
  if (!decoded || decoded_name.empty() || decoded_name.find('\0') != std::string::npos) return std::nullopt;
  return Xattr{std::move(decoded_name), std::move(*decoded)};
}

std::optional<std::string> parse_acl(std::string_view text, OwnerNames& owners, bool by_number) {
  const auto unknown = [](const std::string& /*name*/) { return std::int64_t{-1}; };
  auto acl = by_number ? acl_from_text(text, unknown, unknown) : std::nullopt;
  if (acl) return acl;
  return acl_from_text(
      text, [&](const auto& name) { return owners.uid(name); }, [&](const auto& name) { return owners.gid(name); });
}

}  // namespace

Dumpdir parse_dumpdir(std::string_view text) {
  Dumpdir list;
  std::size_t names = 0;
  std::size_t unstored = 0;
  for_each_record(text, [&](char control, std::string_view name) {
    if (is_of_name(control, name)) ++names;
    if (control == 'N' && !name.empty()) ++unstored;
  });
  list.names.reserve(names);
  list.unstored.reserve(unstored);
  std::optional<std::string_view> renamed;  // R, whose T is the next record
  for_each_record(text, [&](char control, std::string_view name) {
    if (is_of_name(control, name)) list.names.emplace_back(name);
    if (control == 'N' && !name.empty()) list.unstored.emplace_back(name);
    // Of a circle one directory waits under an empty name.
    const bool is_in_order = renamed.has_value() == (control == 'T');
    const bool is_whole = is_in_order && (!renamed || (!renamed->empty() && !name.empty()));
    list.has_circles = list.has_circles || control == 'X' || !is_whole;
    if (renamed && is_whole) list.renames.push_back({std::string(*renamed), std::string(name)});
    renamed = control == 'R' ? std::optional(name) : std::nullopt;
  });
  list.has_circles = list.has_circles || renamed;
  for (auto* sorted : {&list.names, &list.unstored}) {
    std::sort(sorted->begin(), sorted->end());
    sorted->erase(std::unique(sorted->begin(), sorted->end()), sorted->end());
  }
  return list;
}

void add_attributes(const ScannedMember& scanned, OwnerNames& owners, bool by_number, Entry& entry) {
  for (const auto& [key, value] : scanned.records) {
    if (key.starts_with(kXattrPrefix)) {
      const auto name = std::string_view(key).substr(kXattrPrefix.size());
      const bool is_bsdtar = scanned.records.contains(std::string(kLibarchivePrefix).append(name));
      entry.xattrs.push_back({is_bsdtar ? decode_url(name) : decode_xattr_name(name), value});
    } else if (key.starts_with(kLibarchivePrefix)) {
      const auto name = std::string_view(key).substr(kLibarchivePrefix.size());
      auto xattr = scanned.records.contains(std::string(kXattrPrefix).append(name)) ? std::nullopt
                                                                                    : libarchive_xattr(name, value);
      if (xattr) entry.xattrs.push_back(std::move(*xattr));
    } else if (key == "SCHILY.acl.access" || key == "SCHILY.acl.default") {
      const auto name = key == "SCHILY.acl.access" ? kAccessAcl : kDefaultAcl;
      // One that names somebody who is not here is no ACL to the system: whoever restores it is told.
      auto acl = parse_acl(value, owners, by_number).value_or(value);
      // bsdtar's headers have the rights of "group::" where others have the mask, as stat() does.
      const auto mask = name == kAccessAcl ? mask_rights(acl) : std::nullopt;
      if (mask) entry.mode = (entry.mode & ~070U) | *mask << 3U;
      entry.xattrs.push_back({std::string(name), std::move(acl)});
    } else if (key == "RHT.security.selinux") {
      entry.xattrs.push_back({"security.selinux", value});
    }
  }
  std::sort(entry.xattrs.begin(), entry.xattrs.end());
}

std::uint32_t owner_number(std::int64_t number) {
  return number >= 0 && number < kNoOwner ? static_cast<std::uint32_t>(number) : kNoOwner;
}

void add_owner(const ScannedMember& scanned, Entry& entry) {
  const auto take = [&](const char* key, const auto& use) {
    if (const auto record = scanned.records.find(key); record != scanned.records.end()) use(record->second);
  };
  const auto number = [](const std::string& text) {
    std::int64_t value = -1;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? owner_number(value) : kNoOwner;
  };
  take("uid", [&](const auto& text) { entry.uid = number(text); });
  take("gid", [&](const auto& text) { entry.gid = number(text); });
  take("uname", [&](const auto& text) { entry.user = text; });
  take("gname", [&](const auto& text) { entry.group = text; });
}

}  // namespace autoarchive::tar_internal
