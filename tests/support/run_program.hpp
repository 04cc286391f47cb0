/// \file
/// Runs a program and keeps what it says.
#pragma once

#include <string>

namespace autoarchive::test {

struct ProgramResult {
  int status = -1;     ///< exit status, or 128 + signal
  std::string output;  ///< standard output and error
};

/// By the shell; texts that are no literals have to be quoted with shell_quote().
[[nodiscard]] ProgramResult run_shell(const std::string& command);
[[nodiscard]] std::string shell_quote(const std::string& text);

}  // namespace autoarchive::test
