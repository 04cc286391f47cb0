/// \file
/// A segment: a run of entries that makes about one block of the tar stream, and what has become of each.
///
/// The planner fills in the steps, one worker their bytes and outcomes, whoever writes it the offsets; then the
/// caller's thread reports it. It is in the hands of one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/walker.hpp"
#include "codec.hpp"
#include "open_file.hpp"
#include "segment_buffer.hpp"

namespace autoarchive::tar_internal {

/// What a worker does with an entry.
enum class StepAction : std::uint8_t {
  record,   ///< nothing: what is to be reported is known
  comment,  ///< the global header
  header,   ///< everything without content: directories, symlinks, FIFOs, devices, further names of a file
  file,     ///< a small file: opened, stored, compared with what it was
  compare,  ///< a small file that may be what it was: its content and attributes decide whether it is stored
  part,     ///< a part of an OpenFile; the first has the header, the last the padding
};

/// Trouble with one entry, to be told to the observer.
struct Problem {
  BackupSubOperation operation = BackupSubOperation::unknown;
  BackupOperationError error = BackupOperationError::unknown_error;
  std::optional<std::string> text;
};

/// What has become of an entry.
struct Outcome {
  EntryStatus status = EntryStatus::added;
  EntryState state = EntryState::ok;
  bool is_member = false;    ///< its header is in this segment
  bool in_manifest = false;  ///< it has a line there, written with this step
  bool is_done = true;       ///< false: more follows of it, or it has been told before
  int stored_level = -1;
  std::optional<std::uint64_t> offset;  ///< relative to the segment, until that is written
  std::optional<std::uint64_t> digest;
  std::uint64_t content_bytes = 0;
  std::vector<Problem> problems;
};

struct Step {
  StepAction action = StepAction::record;
  WalkItem item;
  std::unique_ptr<ManifestEntry> parent;  ///< the entry in the parent level; null: none, or it is unchanged
  std::string link_to;                    ///< header: a further name of that earlier member
  bool is_last_name = false;              ///< no further name of its file follows
  std::string dumpdir;                    ///< header: a directory's list of names; empty: none
  bool attributes_known = false;          ///< header: item.entry.xattrs need not be read
  std::shared_ptr<OpenFile> file;         ///< part
  std::uint64_t part_offset = 0;
  std::uint64_t part_bytes = 0;
  std::size_t part_begin = 0;  ///< in the segment
  Outcome outcome;
};

struct Segment {
  std::vector<Step> steps;
  SegmentBuffer bytes;               ///< of the tar stream
  Buffer compressed;                 ///< empty for plain tar
  bool built = false;                ///< guarded by the pipeline's mutex
  std::uint64_t stream_offset = 0;   ///< of its first byte in the tar stream, once it is written
  std::uint64_t archive_offset = 0;  ///< in the archive file
};

/// Files up to this size are read by one worker in one go, and anew if they change meanwhile.
inline constexpr std::size_t kSmallFileBytes = 256 * 1024;

/// The entry could not be read: reported, and what the parent level has of it stays.
void set_failed(Step& step, BackupSubOperation operation, int os_errno);
/// The member of a file that could not be read to its end is in the archive, filled up with zeros: what the parent
/// level has of it is better.
void keep_earlier_content(Step& step);
/// Opens the entry. Where another object of its kind has taken its name since the walk, e.g. because a program saves by
/// renaming, that one: the item becomes it.
[[nodiscard]] OpenedEntry open_current(WalkItem& item);
/// The entry is what the parent level has: its content is there.
void carry_over(Step& step, const ManifestEntry& parent);
/// Reads the extended attributes into the step's entry, from `fd` or, if that is -1, by name; trouble is reported.
void read_attributes(Step& step, int fd, const MetadataOptions& metadata);

}  // namespace autoarchive::tar_internal
