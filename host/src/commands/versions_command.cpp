#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/tree_difference.hpp"
#include "output/entry_text.hpp"
#include "output/table.hpp"

namespace autoarchive::host {
namespace {

/// A path as one backup has it; none: it does not.
std::optional<ManifestEntry> find_line(const IStorage& storage, const CatalogEntry& entry, const std::string& path) {
  ManifestReader manifest(storage.open(entry.manifest));
  manifest.seek(path);
  ManifestEntry line;
  const bool is_there = manifest.next(line) && line.entry.path == path && line.stored_level >= 0;
  return is_there ? std::optional(std::move(line)) : std::nullopt;
}

std::string change_text(const std::optional<ManifestEntry>& older, const ManifestEntry& line) {
  if (!older) return "new";
  const auto what = differences_of(*older, line);
  return what.empty() ? "same" : fmt::format("{}", fmt::join(what, ", "));
}

}  // namespace

ExitStatus run_command(Session& session, const VersionsCommand& command) {
  const auto backups = read_backups(session, command.archive, command.destination);
  const auto path = normalize_path(command.path);
  auto order = backups.catalog.newest_first();
  std::reverse(order.begin(), order.end());
  Table table({"BACKUP", "TIME", "SIZE", "MODIFIED", "CHANGED"});
  table.align_right(2);
  Json::Array versions;
  std::optional<ManifestEntry> older;
  auto status = ExitStatus::ok;
  for (const auto index : order) {
    const auto& entry = backups.catalog.entries()[index];
    if (entry.manifest.empty()) {
      status = report_not_searched(session, backups.archive.name, entry);
      continue;
    }
    auto line = find_line(*backups.storage, entry, path);
    if (!line) {
      older.reset();
      continue;
    }
    const auto change = change_text(older, *line);
    table.add({selector_of(entry), local_time(entry.time()), std::to_string(line->entry.size),
               format_rfc3339(line->entry.mtime.seconds, 0), change});
    auto object = entry_json(line->entry, false);
    object.emplace_back("backup", selector_of(entry));
    object.emplace_back("file", entry.file.name);
    object.emplace_back("time", format_rfc3339(entry.time()));
    object.emplace_back("changed", change);
    versions.emplace_back(std::move(object));
    older = std::move(line);
  }
  if (versions.empty()) status = ExitStatus::no_such_backup;
  if (versions.empty()) {
    session.console().problem({Severity::error, "", backups.archive.name,
                               fmt::format("{} is in no backup that has a manifest", quote(path))});
  } else {
    for (const auto& line : table.lines()) session.console().result(line);
  }
  session.console().document({{"exit_code", static_cast<int>(status)}, {"versions", std::move(versions)}});
  return status;
}

}  // namespace autoarchive::host
