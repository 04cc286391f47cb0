#include <fmt/format.h>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/archive_files.hpp"
#include "output/entry_text.hpp"
#include "output/table.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

Json::Array as_json(const CatalogEntry& entry, const std::vector<VerifyRecord>& records) {
  Json::Array checks;
  for (const auto& record : records) {
    if (!entry.header || record.backup_uuid != entry.header->backup_uuid) continue;
    checks.emplace_back(Json::Object{{"level", to_string(record.depth)},
                                     {"time", format_rfc3339(record.time)},
                                     {"whole", record.whole},
                                     {"unread", record.unread}});
  }
  return checks;
}

std::string verified_text(const CatalogEntry& entry, const std::vector<VerifyRecord>& records) {
  const auto* last = entry.header ? last_verified(records, entry.header->backup_uuid) : nullptr;
  if (last == nullptr) return "-";
  return fmt::format("{} {}{}", local_time(last->time), to_string(last->depth),
                     last->whole    ? ""
                     : last->unread ? " unread"
                                    : " DAMAGED");
}

Json::Object as_json(const CatalogEntry& entry) {
  Json::Object object{
      {"file", entry.file.name},           {"level", entry.level()},  {"generation", entry.name.keeping_id},
      {"type", entry.name.type.extension}, {"size", entry.file.size}, {"time", format_rfc3339(entry.time())}};
  if (entry.header) {
    object.emplace_back("backup", entry.header->backup_uuid);
    object.emplace_back("chain", entry.header->chain_uuid);
    object.emplace_back("provider", entry.header->provider);
  }
  if (entry.closing) {
    object.emplace_back("entries", entry.closing->entries);
    object.emplace_back("files", entry.closing->files);
    object.emplace_back("content_bytes", entry.closing->content_bytes);
    object.emplace_back("sha256", entry.closing->archive_sha256);
  }
  if (!entry.fault.empty()) object.emplace_back("fault", entry.fault);
  return object;
}

std::vector<std::string> as_row(const std::string& archive, const CatalogEntry& entry,
                                const std::vector<VerifyRecord>& records) {
  return {archive,
          std::to_string(entry.level()),
          entry.name.keeping_id.empty() ? "-" : entry.name.keeping_id,
          entry.name.type.extension,
          format_bytes({entry.file.size}),
          entry.closing ? std::to_string(entry.closing->entries) : "?",
          local_time(entry.time()),
          entry.header ? entry.header->provider : "?",
          verified_text(entry, records),
          entry.file.name};
}

class Listing {
 public:
  explicit Listing(Session& session) : session_(session) { table_.align_right(4), table_.align_right(5); }

  /// The status that its backups lead to.
  ExitStatus add(const ArchiveConfig& archive, const BackupCatalog& catalog) {
    auto status = ExitStatus::ok;
    std::string fault;
    const auto records = read_verify_records(session_.config().state_dir, archive.name, archive.destination, fault);
    if (!fault.empty()) {
      status = ExitStatus::warnings;
      session_.console().problem({Severity::warning, "state.lost", archive.name, escaped(fault)});
    }
    Json::Array backups;
    for (const auto& entry : catalog.entries()) {
      table_.add(as_row(archive.name, entry, records));
      auto document = as_json(entry);
      document.emplace_back("verified", as_json(entry, records));
      backups.emplace_back(std::move(document));
      if (entry.is_foreign && !entry.archive().empty()) {
        status = ExitStatus::warnings;
        session_.console().problem({Severity::warning, "archive.unproven", archive.name,
                                    fmt::format("{}: {}: it counts only where there is nothing else; see aa rescan",
                                                quote(entry.file.name), foreign_text(entry))});
      }
      if (!entry.fault.empty()) {
        status = ExitStatus::warnings;  // the archive beside it may be whole: only verify knows
        session_.console().problem({Severity::warning, "archive.damaged", archive.name,
                                    fmt::format("manifest of {}: {}", quote(entry.file.name), escaped(entry.fault))});
      }
    }
    if (catalog.entries().empty()) table_.add({archive.name, "-", "-", archive.type, "-", "-", "no backup yet"});
    archives_.emplace_back(Json::Object{
        {"archive", archive.name}, {"destination", archive.destination.native()}, {"backups", std::move(backups)}});
    return status;
  }

  void print() {
    if (!table_.empty()) {
      for (const auto& line : table_.lines()) session_.console().result(line);
    }
    session_.console().document({{"archives", std::move(archives_)}});
  }

 private:
  Session& session_;
  Table table_{{"ARCHIVE", "LEVEL", "GENERATION", "TYPE", "SIZE", "ENTRIES", "TIME", "PROVIDER", "VERIFIED", "FILE"}};
  Json::Array archives_;
};

}  // namespace

ExitStatus run_command(Session& session, const ListCommand& command) {
  auto [names, status] = archives_to_read(session, command.archives, command.destination);
  Listing listing(session);
  for (const auto& name : names) {
    try {
      const auto backups = read_backups(session, name, command.destination);
      status = worse(status, listing.add(backups.archive, backups.catalog));
    } catch (const Error& error) {  // the others are still listed
      status = worse(status, report_error(session, name, error));
    }
  }
  listing.print();
  return status;
}

}  // namespace autoarchive::host
