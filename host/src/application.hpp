/// \file
/// The whole program as a function, so that tests can run it in memory.
#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace autoarchive::host {

/// Runs one command line (without the program's name) and returns the exit status. Throws nothing: every error becomes
/// a message with what, where and what to do, and a status.
[[nodiscard]] int run_application(const ProcessContext& process, const std::vector<std::string>& arguments);

}  // namespace autoarchive::host
