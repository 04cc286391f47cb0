#include "job/levels.hpp"

#include <fmt/format.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {

LevelChoice choose_level(const LevelQuestion& question) {
  if (!question.incremental) {
    if (question.wanted.value_or(0) > 0) {
      throw Error(
          ErrorCode::value_error,
          fmt::format("level {} of an archive that makes no levels; set incremental: true, or give --incremental",
                      *question.wanted),
          ErrorCause::usage);
    }
    return {0, "the archive is not incremental", false};
  }
  if (question.full) return {0, "a full backup was asked for", false};
  if (question.wanted) {
    if (*question.wanted < 0 || *question.wanted > question.max_level) {
      throw Error(ErrorCode::value_error,
                  fmt::format("level {}: only 0..{} can be made now", *question.wanted, question.max_level),
                  ErrorCause::usage);
    }
    if (*question.wanted == 0 || question.chain_break.empty())
      return {*question.wanted, "the level was asked for", false};
    return {0, "the level was asked for, but " + question.chain_break, true};
  }
  if (!question.chain_break.empty()) return {0, question.chain_break, true};
  if (question.max_level == 0) return {0, "there is no earlier level to build on", false};
  return {question.max_level, "next in a row", false};
}

}  // namespace autoarchive::host
