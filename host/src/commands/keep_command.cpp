#include <fmt/format.h>

#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/archive_catalog.hpp"
#include "job/archive_files.hpp"
#include "job/archive_transaction.hpp"
#include "job/pins.hpp"
#include "job/restore_text.hpp"
#include "output/table.hpp"

namespace autoarchive::host {
namespace {

using Fate = KeepVerdict::Fate;

Keeping retention(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                  const BackupCatalog& catalog) {
  KeepQuestion question;
  question.files = kept_files(storage, catalog, read_holds(session.config().state_dir, archive, storage, catalog));
  question.generations = archive.keep.generations;
  question.remove_surplus = true;
  return plan_keeping(question);
}

/// Applies or shows the rules, archive by archive.
class Keeper {
 public:
  explicit Keeper(Session& session) : session_(session) {}

  void keep(const std::string& name) {
    const auto backups = read_backups(session_, name, {});
    if (session_.options().dry_run)
      return tell(name, retention(session_, backups.archive, *backups.storage, backups.catalog));
    const auto transaction = backups.storage->begin(transaction_options(session_, backups.archive));
    const auto now = read_catalog(session_, *backups.storage, name);
    auto keeping = retention(session_, backups.archive, *backups.storage, now);
    if (!keeping.plan.steps.empty()) {
      renew_restore_text(name, now, keeping.plan);
      transaction->commit(keeping.plan);
    }
    tell(name, keeping);
  }

  void print() {
    for (const auto& line : table_.lines()) session_.console().result(line);
    session_.console().document({{"archives", std::move(archives_)}});
  }

 private:
  void tell(const std::string& name, const Keeping& keeping) {
    Json::Array verdicts;
    for (const auto& verdict : keeping.verdicts) {
      const bool goes = verdict.fate == Fate::goes;
      const char* word = !goes ? "stays" : session_.options().dry_run ? "would go" : "gone";
      table_.add({name, verdict.file, word, verdict.reason});
      verdicts.emplace_back(Json::Object{{"file", verdict.file}, {"goes", goes}, {"reason", verdict.reason}});
    }
    if (keeping.verdicts.empty()) table_.add({name, "-", "-", "no backup yet"});
    archives_.emplace_back(Json::Object{{"archive", name}, {"backups", std::move(verdicts)}});
  }

  Session& session_;
  Table table_{{"ARCHIVE", "FILE", "FATE", "BECAUSE"}};
  Json::Array archives_;
};

const CatalogEntry& with_id(const BackupCatalog& catalog, const std::string& selector) {
  const auto& entry = catalog.entries()[catalog.resolve(selector)];
  if (entry.header) return entry;
  throw Error(ErrorCode::value_error,
              "keep: " + quote(entry.file.name) + " can't be pinned, as it has no readable manifest; see aa rescan",
              ErrorCause::usage);
}

ExitStatus change_pin(Session& session, const KeepCommand& command) {
  const auto target = parse_target(command.targets.front());
  const auto backups = read_backups(session, target.archive, {});
  const auto transaction = backups.storage->begin(transaction_options(session, backups.archive));
  const auto catalog = read_catalog(session, *backups.storage, target.archive);
  const auto& entry = with_id(catalog, target.selector);
  auto pins = read_pins(*backups.storage, target.archive);
  const bool changed =
      command.pin ? pins.insert(entry.header->backup_uuid).second : pins.erase(entry.header->backup_uuid) > 0;
  if (changed && !session.options().dry_run) {
    put_pins(*transaction, target.archive, pins);
    transaction->commit({});
  }
  session.console().info(fmt::format("{}: {} {}", target.archive, quote(entry.file.name),
                                     command.pin ? changed ? "is pinned now" : "was pinned already"
                                     : changed   ? "is not pinned any more"
                                                 : "was not pinned"));
  session.console().document({{"archive", target.archive}, {"file", entry.file.name}, {"pinned", command.pin}});
  return ExitStatus::ok;
}

}  // namespace

ExitStatus run_command(Session& session, const KeepCommand& command) {
  if (command.pin || command.unpin) {
    if (command.targets.size() != 1) {
      throw Error(ErrorCode::value_error, "keep: give one ARCHIVE[@SELECTOR] to pin or unpin", ErrorCause::usage);
    }
    return change_pin(session, command);
  }
  auto status = ExitStatus::ok;
  Keeper keeper(session);
  for (const auto& archive : session.some_archives(command.targets)) {
    try {
      keeper.keep(archive.name);
    } catch (const Error& error) {  // the others are still kept
      status = worse(status, report_error(session, archive.name, error));
    }
  }
  keeper.print();
  return status;
}

}  // namespace autoarchive::host
