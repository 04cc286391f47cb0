/// \file
/// Cuts a tree into segments: decides what is stored, and how.
///
/// A full backup stores everything. An increment stores what has changed, every directory above a stored member, and a
/// directory's list of names where that has changed; a directory of which nothing is stored waits until something below
/// it is. Nothing is opened here but files that are larger than a segment or have several names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"
#include "segment.hpp"

namespace autoarchive::tar_internal {

/// How large a segment may become.
struct SegmentLimits {
  /// Bytes of the tar stream, about, of the segment that begins at an offset of it.
  std::function<std::size_t(std::uint64_t)> bytes_at;
  /// Directories that its entries keep open: descriptors are few.
  std::size_t directories = 64;
  std::size_t open_files = 16;  ///< that it shares with others
};

/// Where segments come from and go to. Called on the planner's thread.
class SegmentExchange {
 public:
  SegmentExchange() = default;
  SegmentExchange(const SegmentExchange&) = delete;
  SegmentExchange& operator=(const SegmentExchange&) = delete;
  virtual ~SegmentExchange() = default;
  /// An empty segment; waits until there is room for one.
  [[nodiscard]] virtual std::unique_ptr<Segment> empty_segment() = 0;
  /// Takes the next one in the order of the stream.
  virtual void submit(std::unique_ptr<Segment> segment) = 0;
};

/// One backup's plan. Used on one thread, which may be another one than the job's.
class SegmentPlanner {
 public:
  /// All must outlive the planner.
  SegmentPlanner(const BackupJob& job, TreeComparison& tree, SegmentExchange& exchange, SegmentLimits limits);
  ~SegmentPlanner();

  /// Plans to the end of the tree. Throws Error.
  void run();

 private:
  struct Directory;
  struct Inode;
  using Ancestors = std::vector<std::shared_ptr<Directory>>;

  void plan(ComparedItem& compared);
  void plan_event(ComparedItem& compared);
  void plan_absent(ComparedItem& compared);
  void plan_directory(Step&& step, const ComparedItem& compared);
  void plan_file(Step&& step, const ComparedItem& compared);
  void plan_special(Step&& step, const ComparedItem& compared);
  [[nodiscard]] bool plan_as_link(Step& step, TreeChange change);
  void plan_unchanged(Step&& step, const ManifestEntry& parent);
  void plan_open_file(Step&& step, bool compare);
  void plan_parts(Step&& step, const std::shared_ptr<OpenFile>& file);
  void plan_late_links();

  void leave_directories(const std::string& path);
  void store_ancestors(const Ancestors& ancestors);
  void set_owner_names(Entry& entry);
  void note_stored(const Entry& entry);

  void add_record(Step&& step);
  void add_member(Step&& step, std::uint64_t estimated_bytes);
  void add_step(Step&& step);
  void end_segment();

  const BackupJob& job_;
  TreeComparison& tree_;
  SegmentExchange& exchange_;
  SegmentLimits limits_;
  const MetadataOptions& metadata_;
  bool incremental_;
  OwnerNames owners_;
  Ancestors pending_;  // directories on the current path that are not stored yet, outermost first
  // Files with several names of which not all have been seen; grows with those only.
  std::map<std::pair<std::uint64_t, std::uint64_t>, Inode> inodes_;

  std::unique_ptr<Segment> segment_;
  std::size_t segment_bytes_ = 0;      // that it may have
  std::uint64_t planned_bytes_ = 0;    // of the stream, before it, about
  std::uint64_t estimated_bytes_ = 0;  // of the segment
  std::size_t open_files_ = 0;         // in it
  std::size_t directories_ = 0;        // that it keeps open, about
  const DirectoryHandle* last_directory_ = nullptr;
};

}  // namespace autoarchive::tar_internal
