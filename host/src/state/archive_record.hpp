/// \file
/// What the state remembers of an archive's runs: for the level rules, for `status`, and to know how long one takes.
/// Nothing of it is needed to restore; lost, it costs a scheduled full backup its time and `status` its history.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/base/durations.hpp"

namespace autoarchive::host {

/// One run of `create` for the archive.
struct RunRecord {
  SystemTime began{};
  std::string status;  ///< ok, warnings, held, failed, not_now
  int level = 0;
  std::string level_rule;
  double seconds = 0;
  std::uint64_t entries = 0;         ///< of the tree
  std::uint64_t stored_entries = 0;  ///< of them in this backup
  std::uint64_t content_bytes = 0;   ///< of what was stored
  std::uint64_t archive_bytes = 0;
  std::uint64_t warnings = 0;
  std::string backup;  ///< its id; empty if nothing was committed; of the last success also if it was removed since
  std::string error;   ///< of a failed run
};

/// The last time that a backup was restored to prove that it can be.
struct DrillRecord {
  SystemTime time{};
  std::string backup;  ///< its id
  double seconds = 0;
  std::uint64_t content_bytes = 0;
};

/// A plain value.
struct ArchiveRecord {
  std::string defined_in;  ///< the configuration file; empty: the command line
  std::string chain;       ///< id of the chain that the next two are about
  int restarts = 0;        ///< with a low level since the chain's level 0
  std::optional<SystemTime> last_restart;
  std::optional<RunRecord> last_success;
  std::optional<SystemTime> failing_since;  ///< the first of the failed runs since then
  std::optional<DrillRecord> drill;
  std::vector<RunRecord> runs;  ///< the last ones, oldest first
};

/// What was read. A record that is damaged is an empty one, with the reason.
struct ArchiveRecordFile {
  ArchiveRecord record;
  std::string fault;  ///< empty: it was read, or there is none yet
};

inline constexpr std::size_t kRememberedRuns = 100;

/// STATE/archives/NAME.json.
[[nodiscard]] ArchiveRecordFile read_archive_record(const std::filesystem::path& state_dir, const std::string& archive);
/// Written whole and durable, with a digest. Throws Error(os_error).
void write_archive_record(const std::filesystem::path& state_dir, const std::string& archive,
                          const ArchiveRecord& record);
/// Adds a run and drops what is older than the last kRememberedRuns. Pure.
void add_run(ArchiveRecord& record, RunRecord run);
/// The last run that committed a backup of this kind; null if none is remembered. Points into the record.
[[nodiscard]] const RunRecord* last_run_like(const ArchiveRecord& record, bool increment) noexcept;
/// Archives that have a record, sorted.
[[nodiscard]] std::vector<std::string> recorded_archives(const std::filesystem::path& state_dir);
/// Missing is fine. Throws Error(os_error).
void remove_archive_record(const std::filesystem::path& state_dir, const std::string& archive);

}  // namespace autoarchive::host
