#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <optional>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/next_backup.hpp"
#include "output/entry_text.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

std::vector<std::string> names_of(const BackupCatalog& catalog, const std::vector<std::size_t>& indices) {
  std::vector<std::string> names;
  names.reserve(indices.size());
  for (const auto index : indices) names.push_back(catalog.entries()[index].name.file_name());
  return names;
}

/// One point in time: the files that make it, and what goes if its own is gone.
class PointInTime {
 public:
  PointInTime(const BackupCatalog& catalog, std::size_t index)
      : entry_(catalog.entries()[index]), dependants_(names_of(catalog, catalog.dependants_of(index))) {
    try {
      chain_ = names_of(catalog, catalog.chain_to(index));
    } catch (const Error& error) {  // told with the point in time
      gap_ = error.message();
    }
  }

  [[nodiscard]] bool is_broken() const { return !gap_.empty(); }

  void print(Console& console) const {
    console.result(fmt::format("@{}  {}{}", selector_of(entry_), local_time(entry_.time()),
                               entry_.header     ? ""
                               : entry_.identity ? "  (no manifest)"
                                                 : "  (no manifest: by name only)"));
    console.result(is_broken() ? "  can't be restored: " + escaped(gap_)
                               : fmt::format("  restored from  {}", fmt::join(chain_, "  ")));
    if (!dependants_.empty())
      console.result(fmt::format("  without {}, lost too: {}", entry_.name.file_name(), fmt::join(dependants_, "  ")));
  }

  [[nodiscard]] Json::Object as_json() const {
    return {{"backup", selector_of(entry_)},
            {"file", entry_.name.file_name()},
            {"time", format_rfc3339(entry_.time())},
            {"chain", Json::Array(chain_.begin(), chain_.end())},
            {"dependants", Json::Array(dependants_.begin(), dependants_.end())},
            {"gap", gap_}};
  }

 private:
  const CatalogEntry& entry_;
  std::vector<std::string> chain_;
  std::vector<std::string> dependants_;
  std::string gap_;
};

/// Which level the next backup will be, by which rule, and why.
std::optional<Json::Object> explain_next(Session& session, const ArchiveBackups& backups) {
  const auto& archive = backups.archive;
  const auto record = read_archive_record(session.config().state_dir, archive.name).record;
  try {
    const auto next = next_backup(session, archive, backups.catalog, record,
                                  {false, {}, false, {}, std::chrono::system_clock::now()}, nullptr);
    const auto& choice = next.choice;
    session.console().result(fmt::format("next: level {} by {}, as {} ({})", choice.level, next.provider,
                                         escaped(choice.reason), to_string(choice.rule)));
    return Json::Object{{"level", choice.level},
                        {"provider", next.provider},
                        {"rule", to_string(choice.rule)},
                        {"reason", choice.reason},
                        {"in_a_row", choice.in_a_row}};
  } catch (const Error& error) {  // what there is can be told all the same
    session.console().problem({Severity::warning, "", archive.name, error.message()});
    return std::nullopt;
  }
}

}  // namespace

ExitStatus run_command(Session& session, const ExplainCommand& command) {
  const auto backups = read_backups(session, command.archive, command.destination);
  auto status = ExitStatus::ok;
  Json::Array points;
  for (const auto index : backups.catalog.newest_first()) {
    const PointInTime point(backups.catalog, index);
    if (point.is_broken()) status = ExitStatus::failed;
    point.print(session.console());
    points.emplace_back(point.as_json());
  }
  if (points.empty()) session.console().info(command.archive + ": no backup yet");
  Json::Object document{
      {"exit_code", static_cast<int>(status)}, {"archive", command.archive}, {"points", std::move(points)}};
  if (!backups.archive.root.empty()) {
    if (auto next = explain_next(session, backups)) document.emplace_back("next", std::move(*next));
  }
  session.console().document(std::move(document));
  return status;
}

}  // namespace autoarchive::host
