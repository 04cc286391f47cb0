#include "autoarchive/tree/entry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {

std::string_view to_string(EntryKind kind) noexcept {
  switch (kind) {
    case EntryKind::file:
      return "file";
    case EntryKind::directory:
      return "directory";
    case EntryKind::symlink:
      return "symlink";
    case EntryKind::fifo:
      return "fifo";
    case EntryKind::character_device:
      return "character_device";
    case EntryKind::block_device:
      return "block_device";
    case EntryKind::socket:
      return "socket";
    case EntryKind::unknown:
      break;
  }
  return "unknown";
}

EntryKind kind_of(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return EntryKind::file;
    case S_IFDIR:
      return EntryKind::directory;
    case S_IFLNK:
      return EntryKind::symlink;
    case S_IFIFO:
      return EntryKind::fifo;
    case S_IFCHR:
      return EntryKind::character_device;
    case S_IFBLK:
      return EntryKind::block_device;
    case S_IFSOCK:
      return EntryKind::socket;
    default:
      return EntryKind::unknown;
  }
}

std::strong_ordering compare_paths(std::string_view a, std::string_view b) noexcept {
  if (a == ".") a = {};
  if (b == ".") b = {};
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  // Paths in a row begin alike: eight bytes at a time, as this is called for every entry several times.
  while (i + sizeof(std::uint64_t) <= common && std::memcmp(a.data() + i, b.data() + i, sizeof(std::uint64_t)) == 0)
    i += sizeof(std::uint64_t);
  while (i < common && a[i] == b[i]) ++i;
  // The end of a path sorts first, then the separator, then every other byte: "a" < "a/b" < "a.b".
  const auto weight = [i](std::string_view path) {
    if (i == path.size()) return 0;
    return path[i] == '/' ? 1 : static_cast<int>(static_cast<unsigned char>(path[i])) + 2;
  };
  return weight(a) <=> weight(b);
}

std::string normalize_path(std::string_view given) {
  const auto refuse = [&](const char* why) {
    return Error(ErrorCode::value_error,
                 "path " + quote(given) + " " + why + "; give one below the root, e.g. 'alice/mail'",
                 ErrorCause::usage);
  };
  auto path = given;
  if (path.starts_with('/')) throw refuse("is absolute");
  if (path.find('\0') != std::string_view::npos) throw refuse("has a NUL byte in it");
  std::string normal;
  while (!path.empty()) {
    const auto component = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), component.size() + 1));
    if (component.empty() || component == ".") continue;
    if (component == "..") throw refuse("leaves the root with '..'");
    if (!normal.empty()) normal += '/';
    normal += component;
  }
  return normal.empty() ? "." : normal;
}

}  // namespace autoarchive
