#include "job/guard.hpp"

#include <fmt/format.h>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive::host {
namespace {

bool has_shrunk(std::uint64_t now, std::uint64_t last, int limit_percent) {
  return static_cast<double>(now) < static_cast<double>(last) * (100 - limit_percent) / 100;
}

}  // namespace

TreeSize measure_tree(const ArchiveConfig& archive, const std::filesystem::path& root) {
  FilterRules rules = archive.filter;
  const Filter filter(std::move(rules));
  WalkOptions options;
  options.root = root;
  options.includes = archive.include;
  Walker walker(std::move(options), filter);
  TreeSize size;
  for (WalkItem item; walker.next(item);) {
    if (item.event != WalkEvent::entry || item.entry.kind != EntryKind::file) continue;
    ++size.files;
    size.content_bytes += item.entry.size;
  }
  return size;
}

std::optional<TreeSize> last_tree_size(const BackupCatalog& backups) {
  for (const auto index : backups.newest_first()) {
    const auto& closing = backups.entries()[index].closing;
    if (closing) return TreeSize{closing->files, closing->content_bytes};
  }
  return std::nullopt;
}

std::string suspicion(const GuardRules& guard, const TreeSize& now, const std::optional<TreeSize>& last) {
  if (guard.min_files && now.files < static_cast<std::uint64_t>(*guard.min_files))
    return fmt::format("it has {} files, guard.min_files is {}", now.files, *guard.min_files);
  if (!guard.shrink_limit_percent || !last) return {};
  const int limit = *guard.shrink_limit_percent;
  if (has_shrunk(now.files, last->files, limit)) {
    return fmt::format("it has {} files after {} in the last backup, guard.shrink_limit is {}%", now.files, last->files,
                       limit);
  }
  if (has_shrunk(now.content_bytes, last->content_bytes, limit)) {
    return fmt::format("it has {} after {} in the last backup, guard.shrink_limit is {}%",
                       format_bytes({now.content_bytes}), format_bytes({last->content_bytes}), limit);
  }
  return {};
}

}  // namespace autoarchive::host
