#include "output/entry_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

char letter(EntryKind kind) {
  switch (kind) {
    case EntryKind::directory:
      return 'd';
    case EntryKind::symlink:
      return 'l';
    case EntryKind::fifo:
      return 'p';
    case EntryKind::character_device:
      return 'c';
    case EntryKind::block_device:
      return 'b';
    case EntryKind::file:
    case EntryKind::socket:
    case EntryKind::unknown:
      break;
  }
  return '-';
}

std::string permissions(std::uint32_t mode) {
  std::string text = "rwxrwxrwx";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((mode >> (8 - i) & 1U) == 0) text[i] = '-';
  }
  if ((mode & 04000U) != 0) text[2] = text[2] == 'x' ? 's' : 'S';
  if ((mode & 02000U) != 0) text[5] = text[5] == 'x' ? 's' : 'S';
  if ((mode & 01000U) != 0) text[8] = text[8] == 'x' ? 't' : 'T';
  return text;
}

std::string owner(const std::string& name, std::uint32_t id) {
  return name.empty() ? std::to_string(id) : escaped(name);
}

}  // namespace

std::string local_time(SystemTime time) {
  const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json::Object entry_json(const Entry& entry, bool hard_link) {
  Json::Object object;
  add_path(object, entry.path);
  object.emplace_back("kind", hard_link ? std::string_view("hard_link") : to_string(entry.kind));
  object.emplace_back("mode", entry.mode);
  object.emplace_back("uid", entry.uid);
  object.emplace_back("gid", entry.gid);
  object.emplace_back("user", entry.user);
  object.emplace_back("group", entry.group);
  object.emplace_back("size", entry.size);
  object.emplace_back("mtime", format_rfc3339(entry.mtime.seconds, entry.mtime.nanoseconds));
  if (!entry.link_target.empty()) add_path(object, entry.link_target, "target");
  return object;
}

std::string entry_line(const Entry& entry, bool hard_link) {
  const auto arrow = hard_link ? " link to " : " -> ";
  const auto target = entry.link_target.empty() ? std::string() : arrow + quote(entry.link_target);
  return fmt::format("{}{} {}/{} {:>10} {} {}{}", hard_link ? 'h' : letter(entry.kind), permissions(entry.mode),
                     owner(entry.user, entry.uid), owner(entry.group, entry.gid), entry.size,
                     format_rfc3339(entry.mtime.seconds, 0), quote(entry.path), target);
}

std::string remark_on(std::string_view path, std::string_view text) {
  return path.empty() ? escaped(text) : quote(path) + ": " + escaped(text);
}

std::string selector_of(const CatalogEntry& entry) {
  const auto level = std::to_string(entry.level());
  return entry.name.keeping_id.empty() ? level : level + "." + entry.name.keeping_id;
}

}  // namespace autoarchive::host
