#include "events/progress_display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"

namespace autoarchive::host {
namespace {

constexpr std::chrono::milliseconds kBarInterval{100};
constexpr std::chrono::seconds kPlainInterval{60};

std::chrono::nanoseconds interval_of(ProgressStyle style) {
  return style == ProgressStyle::bar ? std::chrono::nanoseconds(kBarInterval)
                                     : std::chrono::nanoseconds(kPlainInterval);
}

}  // namespace

ProgressStyle progress_style(std::string_view wanted, bool quiet, bool is_terminal) {
  if (wanted == "none" || quiet) return ProgressStyle::none;
  if (wanted == "bar") return ProgressStyle::bar;
  if (wanted == "plain") return ProgressStyle::plain;
  return is_terminal ? ProgressStyle::bar : ProgressStyle::plain;
}

// The tree may have grown since the totals were taken: never more than 99 % before the end.
double part_done(const BackupProgress& progress) {
  if (progress.total_content_bytes == 0) return 0;
  return std::min(0.99,
                  static_cast<double>(progress.content_bytes) / static_cast<double>(progress.total_content_bytes));
}

std::string progress_text(const std::string& archive, const BackupProgress& progress, std::chrono::nanoseconds elapsed,
                          std::optional<double> left) {
  const double seconds = std::max(std::chrono::duration<double>(elapsed).count(), 1e-3);
  const double rate = static_cast<double>(progress.content_bytes) / seconds;
  std::string text = archive;
  if (progress.total_content_bytes > 0) text += fmt::format("  {:.0f}%", part_done(progress) * 100);
  text += "  " + format_bytes({progress.content_bytes});
  if (progress.entries > 0) text += fmt::format("  {} files", progress.entries);
  text += fmt::format("  {}/s", format_bytes({static_cast<std::uint64_t>(rate)}));
  if (left) {
    const std::chrono::duration<double> seconds_left(*left);
    text += "  ETA " + format_duration(std::chrono::duration_cast<std::chrono::seconds>(seconds_left));
  }
  return text;
}

ProgressDisplay::ProgressDisplay(Console& console, std::string archive, ProgressStyle style, Clock::time_point now)
    : console_(console), archive_(std::move(archive)), style_(style), started_(now), shown_(now) {}

ProgressDisplay::~ProgressDisplay() {
  if (style_ == ProgressStyle::bar) console_.status_line("");
}

void ProgressDisplay::tick(const BackupProgress& progress, Clock::time_point now) {
  if (style_ == ProgressStyle::none || now - shown_ < interval_of(style_)) return;
  shown_ = now;
  const auto elapsed = now - started_;
  remaining_.note(std::chrono::duration<double>(elapsed).count(), part_done(progress));
  const auto text = progress_text(archive_, progress, elapsed, remaining_.left());
  if (style_ == ProgressStyle::bar) return console_.status_line(text);
  console_.remark("aa: " + text);
}

}  // namespace autoarchive::host
