// What stands after the "@": which backup of a catalog is meant.
#include <algorithm>
#include <charconv>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && value >= 0 && !text.empty() ? std::optional(value)
                                                                                      : std::nullopt;
}

Error nothing_fits(std::string_view selector, const std::vector<CatalogEntry>& entries) {
  if (entries.empty()) return {ErrorCode::key_error, "there is no backup yet", ErrorCause::no_such_backup};
  std::string names;
  for (const auto& entry : entries) names += (names.empty() ? "" : ", ") + entry.name.file_name();
  return {ErrorCode::key_error, "no backup is " + quote(selector) + "; there are " + names, ErrorCause::no_such_backup};
}

std::optional<std::size_t> find_level(const std::vector<CatalogEntry>& entries, std::string_view keeping_id,
                                      int level) {
  const auto fits = [&](const auto& entry) { return entry.name.keeping_id == keeping_id && entry.level() == level; };
  auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return !entry.is_foreign && fits(entry); });
  if (found == entries.end()) found = std::find_if(entries.begin(), entries.end(), fits);
  return found == entries.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - entries.begin()));
}

/// The last moment of the day, minute or second that is given, so that the time that a listing shows finds what it was
/// shown for. Between day and time may be a blank, as there.
std::optional<SystemTime> last_moment(std::string_view selector) {
  constexpr std::size_t kDateSize = std::string_view("2026-11-01").size();
  constexpr std::size_t kMinuteSize = std::string_view("2026-11-01T03:00").size();
  std::string text(selector);
  if (text.size() == kDateSize) text += "T23:59:59";
  if (text.size() > kDateSize && text[kDateSize] == ' ') text[kDateSize] = 'T';
  const auto time = parse_time(text);
  if (!time || text.find('.') != std::string::npos) return time;
  const bool has_seconds = text.size() > kMinuteSize && text[kMinuteSize] == ':';
  return *time + std::chrono::seconds(has_seconds ? 1 : 60) - std::chrono::nanoseconds(1);
}

/// What the selector means, or none if nothing fits. `understood` is set if it has one of the forms.
std::optional<std::size_t> find(const BackupCatalog& catalog, std::string_view selector, bool& understood) {
  const auto& entries = catalog.entries();
  const auto newest = catalog.newest_first();
  understood = true;
  if (selector.empty()) return newest.empty() ? std::nullopt : std::optional(newest.front());
  if (selector.front() == '~') {
    const auto back = parse_number(selector.substr(1));
    understood = back.has_value();
    return back && static_cast<std::size_t>(*back) < newest.size()
               ? std::optional(newest[static_cast<std::size_t>(*back)])
               : std::nullopt;
  }
  if (const auto level = parse_number(selector)) return find_level(entries, "", *level);
  if (generation_of(selector)) {
    const auto found = std::find_if(newest.begin(), newest.end(),
                                    [&](std::size_t i) { return entries[i].name.keeping_id == selector; });
    return found == newest.end() ? std::nullopt : std::optional(*found);
  }
  const auto dot = selector.find('.');
  if (dot != std::string_view::npos && generation_of(selector.substr(dot + 1))) {
    const auto level = parse_number(selector.substr(0, dot));
    understood = level.has_value();
    return level ? find_level(entries, selector.substr(dot + 1), *level) : std::nullopt;
  }
  const auto time = last_moment(selector);
  understood = time.has_value();
  if (!time) return std::nullopt;
  const auto found =
      std::find_if(newest.begin(), newest.end(), [&](std::size_t i) { return entries[i].time() <= *time; });
  return found == newest.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::size_t BackupCatalog::resolve(std::string_view selector) const {
  bool understood = false;
  if (const auto found = find(*this, selector, understood)) return *found;
  if (understood) throw nothing_fits(selector, entries_);
  throw Error(ErrorCode::value_error,
              "selector " + quote(selector) +
                  ": give a level (2), a generation (aa), both (2.aa), steps back (~1) or a time (2026-11-01T03:00, or "
                  "the day alone)",
              ErrorCause::usage);
}

}  // namespace autoarchive
