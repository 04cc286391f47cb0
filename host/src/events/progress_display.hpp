/// \file
/// Progress for people: a bar on a terminal, a plain line a minute elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_observer.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

enum class ProgressStyle : std::uint8_t { bar, plain, none };

/// What `--progress` asks for: auto (a bar on a terminal), bar, plain or none. Pure.
[[nodiscard]] ProgressStyle progress_style(std::string_view wanted, bool quiet, bool is_terminal);

/// The text of a progress report, e.g. "home  42%  1.2 GiB  18034 files  210.0 MiB/s  ETA 3m 10s". Percent and ETA need
/// totals. Pure.
[[nodiscard]] std::string progress_text(const std::string& archive, const BackupProgress& progress,
                                        std::chrono::nanoseconds elapsed);

/// Shows one job's progress. The clock comes in with each call of tick(), so that tests can set it.
class ProgressDisplay final : public IBackupObserver {
 public:
  using Clock = std::chrono::steady_clock;
  ProgressDisplay(Console& console, std::string archive, ProgressStyle style, Clock::time_point now = Clock::now());
  /// Takes the bar away.
  ~ProgressDisplay() override;

  void progress(const BackupProgress& progress) override { tick(progress, Clock::now()); }
  void tick(const BackupProgress& progress, Clock::time_point now);

 private:
  Console& console_;
  std::string archive_;
  ProgressStyle style_;
  Clock::time_point started_;
  Clock::time_point shown_;
};

}  // namespace autoarchive::host
