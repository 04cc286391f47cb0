/// \file
/// Several archives at the same time: a process of this program for each, so that none can disturb another.
#pragma once

#include <string>
#include <vector>

#include "command_line.hpp"
#include "exit_status.hpp"
#include "output/json.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// What came of all of them.
struct ParallelOutcome {
  ExitStatus status = ExitStatus::ok;
  Json::Array documents;  ///< of the archives, in the given order; only with --json
};

/// Runs `create` for each archive, at most `jobs` at once, started in the given order; the hooks of the run are the
/// caller's. What they print comes line by line, never mixed within one.
[[nodiscard]] ParallelOutcome create_in_parallel(Session& session, const CreateCommand& command,
                                                 const std::vector<std::string>& archives, int jobs);

/// The arguments with which another process does the same for one archive. `events`: for --events; empty: none. Pure.
[[nodiscard]] std::vector<std::string> arguments_for(const GlobalOptions& options, const CreateCommand& command,
                                                     const std::string& archive, const std::string& events);

}  // namespace autoarchive::host
