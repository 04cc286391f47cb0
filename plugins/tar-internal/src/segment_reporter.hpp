/// \file
/// Tells what has become of each entry: the observer's events, and the lines of the manifest.
#pragma once

#include <map>
#include <string>

#include "autoarchive/archiver/backup_job.hpp"
#include "segment.hpp"

namespace autoarchive::tar_internal {

/// Used on the thread of the job, with the segments in the order of the stream.
class SegmentReporter {
 public:
  /// `job` must outlive the reporter.
  explicit SegmentReporter(BackupJob& job) : job_(job) {}

  /// REQUIRES: the segment is written. Takes the entries out of it.
  void report(Segment& segment);

 private:
  void report(Step& step);
  void follow_link(const Step& step, ManifestEntry& line);

  BackupJob& job_;
  // The line of each file with several names, under the one that was stored. Grows with those of which not all names
  // have been seen.
  std::map<std::string, ManifestEntry> stored_;
};

}  // namespace autoarchive::tar_internal
