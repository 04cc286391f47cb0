#include <fmt/format.h>
#include <fnmatch.h>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/manifest_search.hpp"
#include "output/entry_text.hpp"

namespace autoarchive::host {
namespace {

/// A shell pattern: of a name, or, with a "/" in it, of a whole path.
class Pattern {
 public:
  explicit Pattern(std::string text) : text_(std::move(text)), is_path_(text_.find('/') != std::string::npos) {
    if (text_.starts_with('/')) text_.erase(0, 1);
  }
  [[nodiscard]] bool matches(const std::string& path) const {
    const auto* subject = is_path_ ? path.c_str() : path.c_str() + path.rfind('/') + 1;  // npos + 1 is 0
    return ::fnmatch(text_.c_str(), subject, is_path_ ? FNM_PATHNAME : 0) == 0;
  }

 private:
  std::string text_;
  bool is_path_;
};

class Findings {
 public:
  Findings(Session& session, Pattern pattern) : session_(session), pattern_(std::move(pattern)) {
    session_.console().begin_array("entries");
  }

  void search(const ArchiveBackups& backups, const CatalogEntry& entry) {
    if (entry.manifest.empty()) {
      status_ = report_not_searched(session_, backups.archive.name, entry);
      return;
    }
    const auto backup = backups.archive.name + "@" + selector_of(entry);
    const auto is_wanted = [&](const auto& line) {
      return line.stored_level >= 0 && pattern_.matches(line.entry.path);
    };
    search_manifest(backups.storage->open(entry.manifest), is_wanted,
                    [&](const auto& line) { add(backup, line.entry); });
  }

  ExitStatus finish() {
    session_.console().document({{"exit_code", static_cast<int>(status_)}, {"count", count_}});
    return status_;
  }
  void set_status(ExitStatus status) { status_ = worse(status_, status); }

 private:
  void add(const std::string& backup, const Entry& entry) {
    ++count_;
    if (!session_.options().json) return session_.console().result(backup + " " + entry_line(entry, false));
    auto object = entry_json(entry, false);
    object.emplace_back("backup", backup);
    session_.console().element(std::move(object));
  }

  Session& session_;
  Pattern pattern_;
  std::uint64_t count_ = 0;
  ExitStatus status_ = ExitStatus::ok;
};

}  // namespace

ExitStatus run_command(Session& session, const FindCommand& command) {
  const auto [names, search_status] = archives_to_read(session, command.archives, command.destination);
  Findings findings(session, Pattern(command.pattern));
  findings.set_status(search_status);
  for (const auto& name : names) {
    try {
      const auto backups = read_backups(session, name, command.destination);
      for (const auto index : backups.catalog.newest_first()) {
        findings.search(backups, backups.catalog.entries()[index]);
        if (!command.all) break;
      }
    } catch (const Error& error) {  // the others are still searched
      findings.set_status(report_error(session, name, error));
    }
  }
  return findings.finish();
}

}  // namespace autoarchive::host
