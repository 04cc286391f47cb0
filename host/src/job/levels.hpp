/// \file
/// Which level the next backup gets, and why. Pure: chain, clock and rules in, level and reason out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "autoarchive/base/durations.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

/// A level of the current chain, as it lies in the destination.
struct ChainLevel {
  SystemTime made{};
  std::uint64_t bytes = 0;  ///< of its file
  std::string fault;  ///< why no level can build on it, e.g. "'home.tar.gz' has no readable manifest"; empty: it can
};

/// What the choice depends on.
struct LevelQuestion {
  bool incremental = false;
  bool full = false;          ///< --full
  std::optional<int> wanted;  ///< --level N
  int max_level = 0;          ///< the highest that the provider's state allows, whatever is in the destination
  /// Why the chain as a whole can't be continued, e.g. "the owner's state is lost"; empty: it can.
  std::string chain_break;
  std::map<int, ChainLevel> chain;  ///< by level; a gap is a level that is not there
  bool next = false;                ///< --level next: the next in a row, whatever the rules say
  LevelRules rules;
  int restarts = 0;                        ///< of this chain since its level 0
  std::optional<SystemTime> last_restart;  ///< later than that of level 1 only if a restart went to a higher level
  SystemTime now{};
};

/// What decided. The words of to_string() are stable.
enum class LevelRule : std::uint8_t {
  not_incremental,
  asked,                ///< --full or --level
  first,                ///< nothing to build on
  broken_chain,         ///< a level 0 although a higher one was due
  next,                 ///< in a row
  full_after_restarts,  ///< a scheduled level 0
  full_after,           ///< a scheduled level 0
  max,                  ///< a scheduled restart to a low level
  restart_after,        ///< a scheduled restart to a low level
};
[[nodiscard]] std::string_view to_string(LevelRule rule) noexcept;

struct LevelChoice {
  int level = 0;
  LevelRule rule = LevelRule::first;
  std::string reason;        ///< one sentence
  int in_a_row = 0;          ///< what it would have been without the rules
  bool is_repeated = false;  ///< of the next in a row: it was made before, and is gone

  /// One of the rules of `levels:` fired, so that a lower level is made than would be in a row.
  [[nodiscard]] bool restarted() const noexcept { return rule >= LevelRule::full_after_restarts; }
};

/// The rules in this order: --full, --level; a chain that can't be continued is a level 0; full_after_restarts,
/// full_after (from level 1 on); max, restart_after (from level 2 on); else the next in a row, by what is there: levels
/// that are gone from its end are made again. Ages are older than, not
/// equal to, what the rule says; what lies in the future (the clock was set back) has no age and fires nothing. Throws
/// Error(value_error, cause usage) if a level is wanted that can't be made.
[[nodiscard]] LevelChoice choose_level(const LevelQuestion& question);

}  // namespace autoarchive::host
