/// \file
/// Whether an archive's backups are as they should be. `aa status` shows it; nothing here changes anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/base/durations.hpp"
#include "config/config.hpp"
#include "session.hpp"
#include "state/archive_record.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {

enum class Verdict : std::uint8_t { ok, warning, bad };
[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;

/// What is known of one archive.
struct HealthFacts {
  SystemTime now{};
  std::string unreachable;  ///< why the destination can't be looked at; empty: it can
  std::size_t backups = 0;
  std::uint64_t stored_bytes = 0;  ///< of all backups
  std::optional<std::uint64_t> free_bytes;
  std::optional<SystemTime> newest;  ///< of the newest backup
  std::string newest_file;
  std::string missing;       ///< what is known of a newer one that is gone (missing_backup.hpp); empty: nothing
  std::string broken_chain;  ///< why the newest can't be restored; empty: its files are all there
  std::string damage;  ///< found by verify in what the newest needs, e.g. "'a.tar' on 2026-… (data)"; empty: none
  std::string unread;  ///< the same of what could not be read
  std::string lost_records;                ///< why it is not known what verify found; empty: it is
  std::uint64_t problem_entries = 0;       ///< of the newest: missing or changed in it, tried again each time
  std::vector<std::string> problem_paths;  ///< the first of them
  std::optional<SystemTime> held;          ///< of a backup that is held
  std::string next_level;                  ///< e.g. "3 (next in a row)"
  ArchiveRecord record;
  std::optional<SystemTime> verified;  ///< the last time that a backup's content was proven
};

struct Health {
  Verdict verdict = Verdict::ok;
  std::vector<std::string> reasons;  ///< the worst first; empty: all is well
};

/// Looks, and takes no lock. At most `max_paths` problem paths are read.
[[nodiscard]] HealthFacts look_at(Session& session, const ArchiveConfig& archive, std::size_t max_paths);

/// Pure. Bad: no backup, gone, too old, failing, broken, found damaged, or out of reach. A warning: incomplete, held,
/// not readable in parts, never verified although asked for, or from the future.
[[nodiscard]] Health assess(const HealthFacts& facts, const ArchiveConfig& archive);

/// Bytes a day that the backups have taken over the remembered runs; none if they span less than a day. Pure.
[[nodiscard]] std::optional<double> bytes_a_day(const ArchiveRecord& record);

}  // namespace autoarchive::host
