/// \file
/// A backup in words, as JSON, and as the program remembers it. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "autoarchive/archiver/backup_request.hpp"
#include "autoarchive/base/error.hpp"
#include "job/dry_run.hpp"
#include "job/next_backup.hpp"
#include "output/json.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {

/// A backup that is committed. Borrows what the provider has said of it.
struct MadeBackup {
  const BackupResult& result;
  std::chrono::steady_clock::duration elapsed;
  std::string status;  ///< ok, warnings, held
  std::uint64_t warnings = 0;
};
[[nodiscard]] std::string summary_line(const std::string& archive, const NextBackup& next, const MadeBackup& made);
[[nodiscard]] Json::Object document_of(const std::string& archive, const NextBackup& next, const MadeBackup& made);

/// Of a dry run.
[[nodiscard]] std::string forecast_line(const std::string& archive, const NextBackup& next, const Forecast& forecast);
[[nodiscard]] Json::Object document_of(const std::string& archive, const NextBackup& next, const Forecast& forecast);

/// A run in which nothing was committed, or what was committed is damaged.
[[nodiscard]] RunRecord failed_run(const Error& error, SystemTime began);

}  // namespace autoarchive::host
