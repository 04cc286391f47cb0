#include "job/health.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/archive_catalog.hpp"
#include "job/destination_record.hpp"
#include "job/missing_backup.hpp"
#include "job/next_backup.hpp"

namespace autoarchive::host {
namespace {

void read_problem_paths(const IStorage& storage, const std::string& manifest, std::size_t max_paths,
                        HealthFacts& facts) {
  if (facts.problem_entries == 0 || max_paths == 0) return;
  ManifestReader reader(storage.open(manifest));
  for (ManifestEntry entry; facts.problem_paths.size() < max_paths && reader.next(entry);) {
    if (is_problem(entry.state)) facts.problem_paths.push_back(entry.entry.path);
  }
}

/// What was found in a file that the newest backup needs.
void add_damage(const CatalogEntry& entry, const std::vector<VerifyRecord>& records, HealthFacts& facts) {
  const auto* last = entry.header ? last_verified(records, entry.header->backup_uuid) : nullptr;
  if (last == nullptr || last->whole) return;
  auto& found = last->unread ? facts.unread : facts.damage;
  if (found.empty())
    found = fmt::format("{} on {} ({})", quote(entry.file.name), format_rfc3339(last->time), to_string(last->depth));
}

void look_at_newest(const BackupCatalog& backups, const IStorage& storage, const std::vector<VerifyRecord>& records,
                    std::size_t max_paths, HealthFacts& facts) {
  const auto order = backups.newest_first();
  if (order.empty()) return;
  const auto& entry = backups.entries()[order.front()];
  facts.newest = entry.time();
  facts.newest_file = entry.name.file_name();
  try {
    for (const auto index : backups.chain_to(order.front())) {
      const auto& needed = backups.entries()[index];
      add_damage(needed, records, facts);
      if (!needed.fault.empty() && facts.broken_chain.empty())
        facts.broken_chain = fmt::format("the manifest of {}: {}", quote(needed.file.name), needed.fault);
    }
    if (entry.closing) facts.problem_entries = entry.closing->problems;
    read_problem_paths(storage, entry.manifest, max_paths, facts);
  } catch (const Error& error) {
    facts.broken_chain = error.message();
  }
}

std::string next_level(Session& session, const ArchiveConfig& archive, const BackupCatalog& backups,
                       const HealthFacts& facts) {
  try {
    const auto next = next_backup(session, archive, backups, facts.record, {false, {}, false, {}, facts.now}, nullptr);
    return fmt::format("{} ({})", next.choice.level, next.choice.reason);
  } catch (const Error& error) {
    return "? (" + error.message() + ")";
  }
}

void look_at_destination(Session& session, const ArchiveConfig& archive, const std::vector<VerifyRecord>& records,
                         std::size_t max_paths, HealthFacts& facts) {
  const LocalStorage storage(archive.destination);
  const auto backups = read_catalog(session, storage, archive.name);
  if (backups.entries().empty())
    require_same_destination(session.config().state_dir, archive.name, archive.destination);
  facts.backups = backups.entries().size();
  for (const auto& entry : backups.entries()) facts.stored_bytes += entry.file.size;
  facts.free_bytes = storage.free_bytes();
  for (const auto& file : storage.list(archive.name + ".held."))
    facts.held = std::max(facts.held.value_or(file.modified), file.modified);
  facts.missing = missing_newest(session, archive, storage, backups);
  look_at_newest(backups, storage, records, max_paths, facts);
  facts.next_level = next_level(session, archive, backups, facts);
}

/// Collects reasons; the verdict is the worst of them.
class Assessment {
 public:
  void bad(std::string reason) { add(Verdict::bad, std::move(reason)); }
  void warn(std::string reason) { add(Verdict::warning, std::move(reason)); }
  Health take() {
    Health health;
    for (const auto verdict : {Verdict::bad, Verdict::warning}) {
      for (auto& [of, reason] : reasons_) {
        if (of != verdict) continue;
        health.verdict = std::max(health.verdict, of);
        health.reasons.push_back(std::move(reason));
      }
    }
    return health;
  }

 private:
  void add(Verdict verdict, std::string reason) { reasons_.emplace_back(verdict, std::move(reason)); }
  std::vector<std::pair<Verdict, std::string>> reasons_;
};

/// When all was last well: the record's word, or that of the newest backup if the record is lost.
std::optional<SystemTime> last_success(const HealthFacts& facts) {
  return facts.record.last_success ? std::optional(facts.record.last_success->began) : facts.newest;
}

void assess_age(const HealthFacts& facts, const ArchiveConfig& archive, Assessment& assessment) {
  const auto success = last_success(facts);
  if (!success) return;
  if (*success > facts.now) {
    return assessment.warn(
        fmt::format("the last success is from the future ({}): was the clock set back?", format_rfc3339(*success)));
  }
  const auto age = facts.now - *success;
  if (archive.max_age && age > *archive.max_age)
    assessment.bad(fmt::format("the last success is {} old, max_age is {}", format_duration(age),
                               format_duration(*archive.max_age)));
}

void assess_runs(const HealthFacts& facts, Assessment& assessment) {
  const auto& record = facts.record;
  if (record.failing_since) {
    assessment.bad(fmt::format("failing since {}: {}", format_rfc3339(*record.failing_since),
                               record.runs.empty() ? std::string() : escaped(record.runs.back().error)));
  }
  if (facts.held && (!record.last_success || *facts.held > record.last_success->began))
    assessment.warn("the newest backup is held: guard does not trust the source");
  if (facts.problem_entries > 0)
    assessment.warn(fmt::format("{} entries are missing or changed in the newest backup", facts.problem_entries));
}

void assess_checks(const HealthFacts& facts, const ArchiveConfig& archive, Assessment& assessment) {
  const auto& verify = archive.verify;
  if (verify.after_create && !facts.verified && facts.backups > 0) assessment.warn("no backup has been verified");
  if (!verify.restore_every || facts.backups == 0) return;
  // One more interval is allowed: the drill follows a backup.
  if (!facts.record.drill) return assessment.warn("no backup has been restored as a drill");
  const auto age = facts.now - facts.record.drill->time;
  if (age > 2 * *verify.restore_every)
    assessment.warn(fmt::format("the last restore drill is {} old, verify.restore_every is {}", format_duration(age),
                                format_duration(*verify.restore_every)));
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  return verdict == Verdict::ok ? "ok" : verdict == Verdict::warning ? "warning" : "bad";
}

HealthFacts look_at(Session& session, const ArchiveConfig& archive, std::size_t max_paths) {
  HealthFacts facts;
  facts.now = std::chrono::system_clock::now();
  const auto& state_dir = session.config().state_dir;
  facts.record = read_archive_record(state_dir, archive.name).record;
  const auto records = read_verify_records(state_dir, archive.name, archive.destination, facts.lost_records);
  for (const auto& uuid : proven_backups(records)) {
    const auto time = last_verified(records, uuid)->time;
    facts.verified = std::max(facts.verified.value_or(time), time);
  }
  try {
    look_at_destination(session, archive, records, max_paths, facts);
  } catch (const Error& error) {
    facts.unreachable = error.message();
  }
  return facts;
}

Health assess(const HealthFacts& facts, const ArchiveConfig& archive) {
  Assessment assessment;
  if (!facts.unreachable.empty()) assessment.bad(facts.unreachable);
  if (!facts.missing.empty()) assessment.bad(facts.missing);
  if (facts.unreachable.empty() && facts.missing.empty() && facts.backups == 0)
    assessment.bad("there is no backup yet");
  if (!facts.broken_chain.empty())
    assessment.bad(fmt::format("{} can't be restored: {}", quote(facts.newest_file), facts.broken_chain));
  if (!facts.damage.empty()) {
    assessment.bad(
        fmt::format("verify found damage in what {} needs: {}; a level 0 comes next; verify again what was mended",
                    quote(facts.newest_file), facts.damage));
  }
  if (!facts.unread.empty())
    assessment.warn(
        fmt::format("a part of what {} needs could not be read: {}", quote(facts.newest_file), facts.unread));
  if (!facts.lost_records.empty()) assessment.warn(facts.lost_records);
  assess_age(facts, archive, assessment);
  assess_runs(facts, assessment);
  assess_checks(facts, archive, assessment);
  return assessment.take();
}

std::optional<double> bytes_a_day(const ArchiveRecord& record) {
  std::uint64_t bytes = 0;
  std::optional<SystemTime> first;
  std::optional<SystemTime> last;
  for (const auto& run : record.runs) {
    if (run.backup.empty()) continue;
    if (first) bytes += run.archive_bytes;  // those of the first were taken in the time before it
    first = std::min(first.value_or(run.began), run.began);
    last = std::max(last.value_or(run.began), run.began);
  }
  if (!first || *last - *first < std::chrono::hours(24)) return std::nullopt;
  return static_cast<double>(bytes) / (std::chrono::duration<double>(*last - *first).count() / 86'400);
}

}  // namespace autoarchive::host
