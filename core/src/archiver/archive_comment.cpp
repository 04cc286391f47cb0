#include "autoarchive/archiver/archive_comment.hpp"

#include <algorithm>
#include <charconv>

namespace autoarchive {
namespace {

constexpr std::string_view kFirstWord = "autoarchive";

std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

bool set(ArchiveIdentity& identity, std::string_view key, std::string_view value) {
  if (key == "archive") identity.archive = value;
  if (key == "backup") identity.backup_uuid = value;
  if (key == "chain") identity.chain_uuid = value;
  if (key == "parent") identity.parent_uuid = value;
  if (key != "level") return true;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), identity.level);
  return parsed.ec == std::errc() && parsed.ptr == value.data() + value.size() && identity.level >= 0;
}

}  // namespace

std::string to_comment(const ArchiveIdentity& identity) {
  std::string text = std::string(kFirstWord) + " archive=" + identity.archive +
                     " level=" + std::to_string(identity.level) + " backup=" + identity.backup_uuid +
                     " chain=" + identity.chain_uuid;
  if (!identity.parent_uuid.empty()) text += " parent=" + identity.parent_uuid;
  return text;
}

std::optional<ArchiveIdentity> parse_comment(std::string_view comment) {
  if (take_word(comment) != kFirstWord) return std::nullopt;
  ArchiveIdentity identity;
  while (!comment.empty()) {
    const auto word = take_word(comment);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    if (!set(identity, word.substr(0, equals), word.substr(equals + 1))) return std::nullopt;
  }
  const bool is_complete = !identity.archive.empty() && !identity.backup_uuid.empty() && !identity.chain_uuid.empty();
  return is_complete ? std::optional(std::move(identity)) : std::nullopt;
}

}  // namespace autoarchive
