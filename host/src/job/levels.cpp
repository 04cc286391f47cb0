#include "job/levels.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

Error bad_level(const std::string& text) {
  return {ErrorCode::value_error, text, ErrorCause::usage};
}

LevelChoice choose_without_levels(const LevelQuestion& question) {
  if (question.wanted.value_or(0) > 0) {
    throw bad_level(fmt::format(
        "level {} of an archive that makes no levels; set incremental: true, or give --incremental", *question.wanted));
  }
  return {0, LevelRule::not_incremental, "the archive is not incremental", 0};
}

/// What has fallen off the end of the chain does not end it: the level is made again.
int next_in_a_row(const LevelQuestion& question) {
  if (question.chain.empty()) return question.max_level;
  return std::min(question.max_level, question.chain.rbegin()->first + 1);
}

/// Why `level` can't be made on what is there; empty: it can.
std::string fault_below(const LevelQuestion& question, int level) {
  if (level == 0) return {};
  if (!question.chain_break.empty()) return question.chain_break;
  for (int below = 0; below < level; ++below) {
    const auto found = question.chain.find(below);
    if (found == question.chain.end()) return fmt::format("the backup of level {} is not in the destination", below);
    if (!found->second.fault.empty()) return found->second.fault;
  }
  return {};
}

/// None if it lies in the future: a clock that was set back makes nothing old.
std::optional<std::chrono::nanoseconds> age(const LevelQuestion& question, std::optional<SystemTime> since) {
  if (!since || *since > question.now) return std::nullopt;
  return question.now - *since;
}

bool is_older(std::optional<std::chrono::nanoseconds> age, std::optional<std::chrono::seconds> limit) {
  return age && limit && *age > *limit;
}

std::optional<SystemTime> time_of(const LevelQuestion& question, int level) {
  const auto found = question.chain.find(level);
  return found == question.chain.end() ? std::nullopt : std::optional(found->second.made);
}

/// The last time that a low level was begun: level 0, level 1, or a higher one by a restart.
std::optional<SystemTime> last_restart(const LevelQuestion& question) {
  return std::max({time_of(question, 0), time_of(question, 1), question.last_restart});
}

/// 1, or the lowest above it that is not larger than max_restart_size of level 0; at most the highest there is.
int restart_level(const LevelQuestion& question) {
  const auto base = question.chain.find(0);
  int level = 1;
  if (!question.rules.max_restart_size_percent || base == question.chain.end()) return level;
  const auto limit = static_cast<double>(base->second.bytes) * *question.rules.max_restart_size_percent / 100;
  while (level + 1 < next_in_a_row(question)) {
    const auto found = question.chain.find(level);
    if (found == question.chain.end() || static_cast<double>(found->second.bytes) <= limit) break;
    ++level;
  }
  return level;
}

std::optional<LevelChoice> full_restart(const LevelQuestion& question) {
  const int next = next_in_a_row(question);
  const auto& rules = question.rules;
  if (rules.full_after_restarts && question.restarts >= *rules.full_after_restarts) {
    return LevelChoice{0, LevelRule::full_after_restarts,
                       fmt::format("{} restarts since level 0, levels.full_after_restarts is {}", question.restarts,
                                   *rules.full_after_restarts),
                       next};
  }
  const auto since_full = age(question, time_of(question, 0));
  if (!is_older(since_full, rules.full_after)) return std::nullopt;
  return LevelChoice{0, LevelRule::full_after,
                     fmt::format("level 0 is {} old, levels.full_after is {}", format_duration(*since_full),
                                 format_duration(*rules.full_after)),
                     next};
}

std::optional<LevelChoice> restart(const LevelQuestion& question) {
  const int next = next_in_a_row(question);
  const auto& rules = question.rules;
  if (rules.max && next > *rules.max) {
    return LevelChoice{restart_level(question), LevelRule::max,
                       fmt::format("the next in a row would be {}, levels.max is {}", next, *rules.max), next};
  }
  const auto since_restart = age(question, last_restart(question));
  if (!is_older(since_restart, rules.restart_after)) return std::nullopt;
  return LevelChoice{restart_level(question), LevelRule::restart_after,
                     fmt::format("the last low level is {} old, levels.restart_after is {}",
                                 format_duration(*since_restart), format_duration(*rules.restart_after)),
                     next};
}

LevelChoice asked_for(const LevelQuestion& question) {
  const int next = next_in_a_row(question);
  const int wanted = question.wanted.value_or(next);
  if (wanted < 0 || wanted > question.max_level) {
    throw bad_level(fmt::format("level {}: only 0..{} can be made now", wanted, question.max_level));
  }
  return {wanted, LevelRule::asked, "the level was asked for", next};
}

LevelChoice by_rules(const LevelQuestion& question) {
  const int next = next_in_a_row(question);
  if (next >= 1) {
    if (auto choice = full_restart(question)) return *choice;
  }
  if (next >= 2) {
    if (auto choice = restart(question)) return *choice;
  }
  if (next == 0) return {0, LevelRule::first, "there is no earlier level to build on", 0};
  if (next == question.max_level) return {next, LevelRule::next, "next in a row", next};
  return {next, LevelRule::next, fmt::format("the level {} that was made before is not in the destination", next), next,
          /*is_repeated=*/true};
}

}  // namespace

std::string_view to_string(LevelRule rule) noexcept {
  switch (rule) {
    case LevelRule::not_incremental:
      return "not_incremental";
    case LevelRule::asked:
      return "asked";
    case LevelRule::first:
      return "first";
    case LevelRule::broken_chain:
      return "broken_chain";
    case LevelRule::next:
      return "next";
    case LevelRule::full_after_restarts:
      return "full_after_restarts";
    case LevelRule::full_after:
      return "full_after";
    case LevelRule::max:
      return "max";
    case LevelRule::restart_after:
      break;
  }
  return "restart_after";
}

LevelChoice choose_level(const LevelQuestion& question) {
  if (!question.incremental) return choose_without_levels(question);
  if (question.full) return {0, LevelRule::asked, "a full backup was asked for", next_in_a_row(question)};
  // What makes the whole chain useless comes before the rules: there is nothing to restart.
  const bool explicitly = question.wanted || question.next;
  auto choice = explicitly ? asked_for(question) : by_rules(question);
  if (choice.rule == LevelRule::first && !question.chain_break.empty())
    return {0, LevelRule::broken_chain, question.chain_break, 0};
  const auto fault = fault_below(question, choice.level);
  if (fault.empty()) return choice;
  return {0, LevelRule::broken_chain, (explicitly ? "the level was asked for, but " : "") + fault, choice.in_a_row};
}

}  // namespace autoarchive::host
