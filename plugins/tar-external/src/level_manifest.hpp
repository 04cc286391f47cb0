/// \file
/// The manifest of a backup that GNU tar has made: what the survey has seen, and what tar has done with it.
#pragma once

#include "autoarchive/archiver/backup_job.hpp"
#include "member_table.hpp"
#include "tree_survey.hpp"

namespace autoarchive::tar_external {

/// Adds every entry to the job's manifest and reports its outcome. An entry that could not be stored keeps what the
/// parent level has of it. One that was to be stored and is not, without a word of tar's, is reported. REQUIRES:
/// `members` is sealed. Throws Error.
void write_level_manifest(BackupJob& job, const TreeSurvey& survey, MemberTable& members);

}  // namespace autoarchive::tar_external
