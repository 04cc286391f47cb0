#include "autoarchive/archiver/archive_comment.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::string_view kFirstWord = "autoarchive";
constexpr int kMaxLevel = 999'999;  // as of a manifest: readers have a table of all levels

std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

// A comment is one line of words, and GNU tar takes it in a list with commas.
std::string encode(std::string_view path) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
  std::string word;
  for (const char& c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      word += c;
    } else {
      word += '%' + to_hex(std::as_bytes(std::span(&c, 1)));
    }
  }
  return word;
}

/// None if a "%" is not followed by two hexadecimal digits.
std::optional<std::string> decode(std::string_view word) {
  std::string path;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      path += word[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = word.substr(i + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ec != std::errc() || parsed.ptr != digits.data() + 2) return std::nullopt;
    path += static_cast<char>(value);
    i += 2;
  }
  return path;
}

bool set(ArchiveIdentity& identity, std::string_view key, std::string_view value) {
  if ((key == "backup" || key == "chain" || key == "parent") && !is_id(value)) return false;
  if (key == "archive") identity.archive = value;
  if (key == "backup") identity.backup_uuid = value;
  if (key == "chain") identity.chain_uuid = value;
  if (key == "parent") identity.parent_uuid = value;
  if (key == "provider") identity.provider = value;
  if (key == "started") {
    const auto time = parse_time(value);
    identity.started = time.value_or(SystemTime());
    return time.has_value();
  }
  if (key == "root") {
    auto root = decode(value);
    identity.root = root.value_or("");
    return root.has_value();
  }
  if (key != "level") return true;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), identity.level);
  return parsed.ec == std::errc() && parsed.ptr == value.data() + value.size() && identity.level >= 0 &&
         identity.level <= kMaxLevel;
}

}  // namespace

std::string to_comment(const ArchiveIdentity& identity) {
  std::string text = std::string(kFirstWord) + " archive=" + identity.archive +
                     " level=" + std::to_string(identity.level) + " backup=" + identity.backup_uuid +
                     " chain=" + identity.chain_uuid;
  if (!identity.parent_uuid.empty()) text += " parent=" + identity.parent_uuid;
  if (!identity.provider.empty()) text += " provider=" + identity.provider;
  if (identity.started != SystemTime()) text += " started=" + format_rfc3339(identity.started);
  if (!identity.root.empty()) text += " root=" + encode(identity.root);
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
