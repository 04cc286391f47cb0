/// \file
/// How much longer a job takes, from how long one like it took and how fast this one is now.
#pragma once

#include <deque>
#include <optional>

namespace autoarchive::host {

/// Seconds throughout. Not thread-safe.
class RemainingTime {
 public:
  /// `expected`: what a job like this took the last time; none: there was none.
  void expect(std::optional<double> expected) { expected_ = expected; }
  /// Notes that `part` (0 to 1) is done; 0 if that is not known. `elapsed` does not go back.
  void note(double elapsed, double part);
  /// None until there is something to tell it from.
  [[nodiscard]] std::optional<double> left() const;

 private:
  struct Sample {
    double elapsed;
    double part;
  };
  [[nodiscard]] std::optional<double> by_history() const;
  [[nodiscard]] std::optional<double> by_rate() const;

  std::optional<double> expected_;
  std::deque<Sample> recent_;  // the newest last, at most one a second but for that
};

}  // namespace autoarchive::host
