/// \file
/// The real process around the program: signals, descriptors, environment.
#pragma once

#include "session.hpp"

namespace autoarchive::host {

/// Runs the program in this process and returns its exit status: umask 077, SIGPIPE and SIGXFSZ ignored, descriptors
/// 0-2 opened if they were closed; SIGTERM, SIGINT and SIGHUP request a stop and lead to 128 + n.
[[nodiscard]] int run_process(int argc, const char* const* argv);

}  // namespace autoarchive::host
