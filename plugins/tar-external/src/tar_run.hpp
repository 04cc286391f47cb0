/// \file
/// One run of GNU tar: its command line, its streams, its end.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"

namespace autoarchive::tar_external {

/// What the command line is made of.
struct TarCommand {
  std::string tar;                    ///< absolute path
  std::string compressor;             ///< command with its strength, e.g. "/usr/bin/gzip -6"; empty: plain tar
  std::filesystem::path snapshot;     ///< empty: not incremental
  std::vector<std::string> excluded;  ///< literal names, as tar sees them
};

/// Runs tar with the archive on its standard output, names on a pipe of their own and messages on standard error; reads
/// all of them to their end, then waits, then judges. Every message becomes an event of the job. Throws
/// Error(runtime_error) if the archive is not complete. Returns the names of all members, as bytes, without a trailing
/// slash.
[[nodiscard]] std::unordered_set<std::string> run_tar(const TarCommand& command, BackupJob& job);

}  // namespace autoarchive::tar_external
