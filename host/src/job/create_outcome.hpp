/// \file
/// What came of one archive's backup.
#pragma once

#include <string>

#include "exit_status.hpp"
#include "output/json.hpp"

namespace autoarchive::host {

struct CreateOutcome {
  ExitStatus status = ExitStatus::ok;
  std::string result;  ///< ok, warnings, held, dry_run
  int level = 0;
  std::string file;       ///< path of the new backup
  Json::Object document;  ///< its part of the --json document
};

}  // namespace autoarchive::host
