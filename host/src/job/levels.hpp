/// \file
/// Which level the next backup gets, and why. Pure.
#pragma once

#include <optional>
#include <string>

namespace autoarchive::host {

/// What the choice depends on.
struct LevelQuestion {
  bool incremental = false;
  bool full = false;          ///< --full
  std::optional<int> wanted;  ///< --level N
  int max_level = 0;          ///< the highest that the provider's state allows
  /// Why the chain can't be continued, e.g. "the root has changed from /home to /srv"; empty: it can.
  std::string chain_break;
};

struct LevelChoice {
  int level = 0;
  std::string reason;      ///< one sentence
  bool restarted = false;  ///< a level 0 although a higher one was due: said aloud
};

/// Throws Error(value_error) if a level is wanted that can't be made.
[[nodiscard]] LevelChoice choose_level(const LevelQuestion& question);

}  // namespace autoarchive::host
