/// \file
/// One run of GNU tar: its command line, its streams, its end.
#pragma once

#include <set>
#include <string>

#include "autoarchive/archiver/backup_job.hpp"
#include "dumpdir_file.hpp"
#include "member_table.hpp"
#include "tar_input.hpp"

namespace autoarchive::tar_external {

/// What a run takes, gives and tells. All of it must outlive the run.
struct TarRun {
  const std::string& tar;  ///< absolute path
  const TarInput& input;
  const std::set<std::string>& reported;  ///< paths whose trouble is known: what tar says of it is no event
  DumpdirFile& dumpdirs;                  ///< the lists that directories get
  Sink& archive;                          ///< takes the tar stream; not finished
  MemberTable& members;                   ///< gets each member and each trouble; not sealed
};

/// Runs tar with the archive on its standard output, names on a pipe of their own and messages on standard error; reads
/// all of them to their end, then waits, then judges. Every message becomes an event of the job. Throws
/// Error(runtime_error) if the archive is not complete.
void run_tar(const TarRun& run, BackupJob& job);

}  // namespace autoarchive::tar_external
