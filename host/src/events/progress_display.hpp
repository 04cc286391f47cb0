/// \file
/// Progress for people: a bar on a terminal, a plain line a minute elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_observer.hpp"
#include "events/remaining_time.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

enum class ProgressStyle : std::uint8_t { bar, plain, none };

/// What `--progress` asks for: auto (a bar on a terminal), bar, plain or none. Pure.
[[nodiscard]] ProgressStyle progress_style(std::string_view wanted, bool quiet, bool is_terminal);

/// How much is done, from 0 to 0.99; 0 where there are no totals. Pure.
[[nodiscard]] double part_done(const BackupProgress& progress);
/// The text of a progress report, e.g. "home  42%  1.2 GiB  18034 files  210.0 MiB/s  ETA 3m 10s". Percent needs
/// totals; `left`: seconds until the end; none: not known. Pure.
[[nodiscard]] std::string progress_text(const std::string& archive, const BackupProgress& progress,
                                        std::chrono::nanoseconds elapsed, std::optional<double> left);

/// Shows one job's progress. The clock comes in with each call of tick(), so that tests can set it.
class ProgressDisplay final : public IBackupObserver {
 public:
  using Clock = std::chrono::steady_clock;
  ProgressDisplay(Console& console, std::string archive, ProgressStyle style, Clock::time_point now = Clock::now());
  /// Takes the bar away.
  ~ProgressDisplay() override;

  /// `seconds`: what a job like this took the last time.
  void expect(std::optional<double> seconds) { remaining_.expect(seconds); }
  void progress(const BackupProgress& progress) override { tick(progress, Clock::now()); }
  void tick(const BackupProgress& progress, Clock::time_point now);

 private:
  Console& console_;
  std::string archive_;
  ProgressStyle style_;
  Clock::time_point started_;
  Clock::time_point shown_;
  RemainingTime remaining_;
};

}  // namespace autoarchive::host
