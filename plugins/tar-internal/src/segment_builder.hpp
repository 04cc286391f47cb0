/// \file
/// Makes the bytes of a segment: opens its files, reads them, formats their headers.
#pragma once

#include <string>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/base/digest.hpp"
#include "segment.hpp"
#include "tar_writer.hpp"

namespace autoarchive::tar_internal {

/// One worker's. Files are opened once a reading, never followed, and stored with exactly the size that their header
/// says: what has shrunk is filled up with zeros, what has grown is cut, and both are reported. Not thread-safe.
class SegmentBuilder {
 public:
  /// `job` must outlive the builder; of it only what is thread-safe is used. `comment` is what the global header says.
  SegmentBuilder(const BackupJob& job, std::string comment);

  /// Appends the bytes of all steps to segment.bytes and fills in their outcomes. Throws Error if a stop is requested.
  void build(Segment& segment);

 private:
  void build(Step& step, Segment& segment, TarWriter& tar);
  void add_header(Step& step, Segment& segment, TarWriter& tar);
  void add_file(Step& step, Segment& segment, TarWriter& tar);
  bool try_file(Step& step, Segment& segment, TarWriter& tar);
  OpenFile::ReadResult append_member(Step& step, int fd, const SparseMap& map, Segment& segment, TarWriter& tar);
  void add_part(Step& step, Segment& segment, TarWriter& tar);
  [[nodiscard]] bool is_what_it_was(const Step& step) const;
  [[nodiscard]] TarMember member_of(const Step& step) const;
  void stored(Step& step, std::size_t offset) const;

  const BackupJob& job_;
  std::string comment_;
  const MetadataOptions& metadata_;
};

}  // namespace autoarchive::tar_internal
