#include "acl_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <tuple>
#include <vector>

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kEntryBytes = 8;
constexpr std::uint32_t kNoId = 0xFFFFFFFF;

enum Tag : std::uint16_t { kUserObject = 1, kUser = 2, kGroupObject = 4, kGroup = 8, kMask = 16, kOther = 32 };

struct AclEntry {
  std::uint16_t tag = 0;
  std::uint16_t permissions = 0;
  std::uint32_t id = kNoId;
};

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append(std::string& out, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

std::string_view word(std::uint16_t tag) {
  if (tag == kUserObject || tag == kUser) return "user";
  if (tag == kGroupObject || tag == kGroup) return "group";
  return tag == kMask ? "mask" : "other";
}

bool is_known(std::uint16_t tag) {
  return tag == kUserObject || tag == kUser || tag == kGroupObject || tag == kGroup || tag == kMask || tag == kOther;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, id);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end ? std::optional(id) : std::nullopt;
}

bool parse_permissions(std::string_view text, std::uint16_t& permissions) {
  constexpr std::string_view kLetters = "xwr";
  if (const auto number = parse_id(text); number && *number < 8) {
    permissions = static_cast<std::uint16_t>(*number);
    return true;
  }
  for (const char c : text) {
    const auto bit = kLetters.find(c);
    if (bit == std::string_view::npos && c != '-') return false;
    if (bit != std::string_view::npos) permissions = static_cast<std::uint16_t>(permissions | 1U << bit);
  }
  return !text.empty();
}

std::optional<std::uint16_t> parse_tag(std::string_view text, bool has_id) {
  if (text == "user" || text == "u") return has_id ? kUser : kUserObject;
  if (text == "group" || text == "g") return has_id ? kGroup : kGroupObject;
  if (text == "mask" || text == "m") return kMask;
  if (text == "other" || text == "o") return kOther;
  return std::nullopt;
}

std::optional<AclEntry> parse_entry(std::string_view text, const IdOfName& uid, const IdOfName& gid) {
  auto fields = split(text, ":");
  // Solaris leaves the empty qualifier of mask and other out.
  if (fields.size() == 2) fields.insert(fields.begin() + 1, std::string_view());
  if (fields.size() < 3 || fields.size() > 4) return std::nullopt;
  AclEntry entry;
  const auto qualifier = fields[1];
  const auto tag = parse_tag(fields[0], !qualifier.empty());
  if (!tag || !parse_permissions(fields[2], entry.permissions)) return std::nullopt;
  entry.tag = *tag;
  if (*tag != kUser && *tag != kGroup) return entry;
  auto id = parse_id(qualifier);
  if (!id) {
    const auto named = (*tag == kUser ? uid : gid)(std::string(qualifier));
    if (named >= 0) id = static_cast<std::uint32_t>(named);
  }
  if (!id && fields.size() == 4) id = parse_id(fields[3]);
  if (!id) return std::nullopt;
  entry.id = *id;
  return entry;
}

std::optional<std::vector<AclEntry>> parse_value(std::string_view value) {
  if (value.size() < kHeaderBytes || (value.size() - kHeaderBytes) % kEntryBytes != 0 ||
      little_endian(value.substr(0, 4)) != kVersion) {
    return std::nullopt;
  }
  std::vector<AclEntry> entries;
  for (auto rest = value.substr(kHeaderBytes); !rest.empty(); rest.remove_prefix(kEntryBytes)) {
    const auto permissions = static_cast<std::uint16_t>(little_endian(rest.substr(2, 2)));
    entries.push_back(
        {static_cast<std::uint16_t>(little_endian(rest.substr(0, 2))), permissions, little_endian(rest.substr(4, 4))});
    if (!is_known(entries.back().tag) || permissions > 7) return std::nullopt;
  }
  return entries;
}

std::optional<std::uint32_t> rights_of(const std::vector<AclEntry>& entries, Tag tag) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.tag == tag; });
  return found == entries.end() ? std::nullopt : std::optional<std::uint32_t>(found->permissions);
}

}  // namespace

std::optional<std::string> acl_to_text(std::string_view value) {
  const auto entries = parse_value(value);
  if (!entries) return std::nullopt;
  std::string text;
  for (const auto& entry : *entries) {
    if (!text.empty()) text += ',';
    text += word(entry.tag);
    text += ':';
    if (entry.tag == kUser || entry.tag == kGroup) text += std::to_string(entry.id);
    text += ':';
    text += (entry.permissions & 4U) != 0 ? 'r' : '-';
    text += (entry.permissions & 2U) != 0 ? 'w' : '-';
    text += (entry.permissions & 1U) != 0 ? 'x' : '-';
  }
  return text;
}

std::optional<std::string> acl_from_text(std::string_view text, const IdOfName& uid, const IdOfName& gid) {
  std::vector<AclEntry> entries;
  for (auto line : split(text, ",\n")) {
    line = line.substr(0, line.find('#'));
    while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
    if (line.empty()) continue;
    const auto entry = parse_entry(line, uid, gid);
    if (!entry) return std::nullopt;
    entries.push_back(*entry);
  }
  if (entries.empty()) return std::nullopt;
  // The kernel wants them in this order; it refuses one that is there twice, and not we.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return std::tie(a.tag, a.id) < std::tie(b.tag, b.id); });
  std::string value;
  append(value, kVersion, 4);
  for (const auto& entry : entries) {
    append(value, entry.tag, 2);
    append(value, entry.permissions, 2);
    append(value, entry.id, 4);
  }
  return value;
}

namespace {

std::optional<std::string> acl_of_anybody(std::string_view text) {
  const auto anybody = [](const std::string& /*name*/) { return std::int64_t{0}; };
  return acl_from_text(text, anybody, anybody);
}

}  // namespace

std::optional<std::uint32_t> mask_rights(std::string_view value) {
  const auto entries = parse_value(value);
  return entries ? rights_of(*entries, kMask) : std::nullopt;
}

bool is_acl_text(std::string_view value) {
  return !parse_value(value) && acl_of_anybody(value);
}

std::uint32_t group_rights(std::string_view value) {
  auto entries = parse_value(value);
  if (!entries) {
    const auto named = acl_of_anybody(value);
    if (!named) return 0;
    entries = parse_value(*named);
  }
  return rights_of(*entries, kGroupObject).value_or(0) & rights_of(*entries, kMask).value_or(7);
}

}  // namespace autoarchive::tar_internal
