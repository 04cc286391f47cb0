/// \file
/// Tells what has become of each entry: the observer's events, and the lines of the manifest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

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
  /// Where a file with several names is stored.
  struct ContentPlace {
    int level = -1;
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> digest;
    EntryState state = EntryState::ok;
    std::vector<Xattr> xattrs;
  };

  void report(Step& step);
  void follow_link(const Step& step, ManifestEntry& line);

  BackupJob& job_;
  // Grows with files of whose several names some have not been seen yet.
  std::map<std::pair<std::uint64_t, std::uint64_t>, ContentPlace> places_;
};

}  // namespace autoarchive::tar_internal
