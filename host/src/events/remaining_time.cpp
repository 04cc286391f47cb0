#include "events/remaining_time.hpp"

#include <algorithm>

namespace autoarchive::host {
namespace {

constexpr double kRecent = 30;  // seconds that the rate is taken from: long enough for large and small files to mix
constexpr double kLeastPart = 0.01;  // before that, a rate says nothing

}  // namespace

void RemainingTime::note(double elapsed, double part) {
  if (recent_.size() > 1 && elapsed - recent_[recent_.size() - 2].elapsed < 1) recent_.pop_back();
  recent_.push_back({elapsed, part});
  while (recent_.size() > 2 && elapsed - recent_[1].elapsed >= kRecent) recent_.pop_front();
}

std::optional<double> RemainingTime::by_history() const {
  if (!expected_) return std::nullopt;
  const auto& now = recent_.back();
  const double left = now.part > 0 ? *expected_ * (1 - now.part) : *expected_ - now.elapsed;
  return left > 0 ? std::optional(left) : std::nullopt;
}

std::optional<double> RemainingTime::by_rate() const {
  const auto& now = recent_.back();
  if (now.part < kLeastPart) return std::nullopt;
  const Sample from = now.elapsed > kRecent && recent_.size() > 1 ? recent_.front() : Sample{0, 0};
  if (now.part <= from.part) return std::nullopt;  // it stands still
  return (now.elapsed - from.elapsed) / (now.part - from.part) * (1 - now.part);
}

// At first the last time knows better, near the end what was just seen.
std::optional<double> RemainingTime::left() const {
  if (recent_.empty()) return std::nullopt;
  const auto history = by_history();
  const auto rate = by_rate();
  if (!history || !rate) return history ? history : rate;
  const double part = recent_.back().part;
  return *history * (1 - part) + *rate * part;
}

}  // namespace autoarchive::host
