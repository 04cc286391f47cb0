#include "job/checks.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <utility>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

std::unique_ptr<ReadableFile> open_manifest(const IStorage& storage, const CatalogEntry& entry) {
  return entry.manifest.empty() ? nullptr : storage.open(entry.manifest);
}

Error damaged(const CatalogEntry& entry, const std::string& fault) {
  return {ErrorCode::value_error, fmt::format("{} is damaged: {}", quote(entry.file.name), fault), ErrorCause::damaged};
}

void verify_file(Session& session, const IStorage& storage, const CatalogEntry& entry) {
  const auto file = storage.open(entry.file.name);
  const auto manifest = open_manifest(storage, entry);
  const auto result = session.providers().reader_for(*file)->verify(*file, manifest.get(), session.process().stop);
  if (!result.faults.empty()) throw damaged(entry, result.faults.front());
  const bool has_digest = entry.closing && !entry.closing->archive_sha256.empty();
  if (has_digest && result.sha256 != entry.closing->archive_sha256)
    throw damaged(entry, "its SHA-256 is not that of its manifest");
}

std::vector<ArchiveLevel> open_levels(const IStorage& storage, const BackupCatalog& backups, std::size_t target) {
  std::vector<ArchiveLevel> levels;
  for (const auto index : backups.chain_to(target)) {
    const auto& entry = backups.entries()[index];
    ArchiveLevel level;
    level.file = storage.open(entry.file.name);
    level.manifest = open_manifest(storage, entry);
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace

void verify_backup(Session& session, const ArchiveConfig& archive, const IStorage& storage,
                   const BackupCatalog& backups, std::size_t target) {
  const auto& state_dir = session.config().state_dir;
  std::string ignored;  // a damaged record proves nothing: everything is read again
  const auto proven = proven_backups(read_verify_records(state_dir, archive.name, archive.destination, ignored));
  std::vector<VerifyRecord> fresh;
  std::exception_ptr damage;
  for (const auto index : backups.chain_to(target)) {
    const auto& entry = backups.entries()[index];
    if (index != target && entry.header && proven.contains(entry.header->backup_uuid)) continue;
    VerifyRecord record{entry.backup_uuid(), VerifyDepth::data, {}, true};
    try {
      verify_file(session, storage, entry);
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::damaged) throw;
      record.whole = false;
      record.unread = error.is_os_error();
      damage = std::current_exception();
    }
    record.time = std::chrono::system_clock::now();
    if (entry.header) fresh.push_back(std::move(record));
    if (damage) break;
  }
  remember_verified(state_dir, archive.name, archive.destination, fresh, known_backups(backups));
  if (damage) std::rethrow_exception(damage);
}

bool is_drill_due(const VerifyRules& rules, const std::optional<DrillRecord>& last, SystemTime now) {
  if (!rules.restore_every) return false;
  return !last || last->time > now || now - last->time > *rules.restore_every;
}

DrillRecord drill(Session& session, const IStorage& storage, const BackupCatalog& backups, std::size_t target) {
  const auto began = Clock::now();
  const auto& entry = backups.entries()[target];
  RestoreRequest request;
  request.levels = open_levels(storage, backups, target);
  request.stop = session.process().stop;
  const auto reader = session.providers().reader_for(*request.levels.back().file);
  const auto result = reader->prove(request);
  if (result.damaged > 0)
    throw damaged(entry, fmt::format("{} entries can't be restored from it and what it is based on", result.damaged));
  return {std::chrono::system_clock::now(), entry.header ? entry.header->backup_uuid : "", seconds_since(began),
          result.content_bytes};
}

}  // namespace autoarchive::host
