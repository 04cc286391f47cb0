/// \file
/// Makes the archive with several threads.
///
/// The planner's thread walks the tree and cuts it into segments of about one block of the tar stream. A worker takes
/// the oldest planned segment, opens and reads its files, formats the headers and compresses, all in the segment's own
/// memory: no byte of a file goes from thread to thread. Whoever has built the segment that comes next in the stream
/// writes it, and all that are ready behind it; the others go on with the next one. The caller's thread reports what
/// has been written, in the order of the stream, and gives the segment back to the planner.
///
/// Who holds what: a segment belongs to the planner while it is planned, to the queue, to one worker, to the queue
/// again, to the one that writes, to the caller. Memory is bounded because there are at most `segments` of them: the
/// planner waits for one to come back. The first error of any thread stops all, and is thrown on the caller's thread;
/// nothing behind it is written.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/storage/sink.hpp"
#include "codec.hpp"
#include "segment.hpp"
#include "segment_builder.hpp"
#include "segment_planner.hpp"
#include "segment_reporter.hpp"

namespace autoarchive::tar_internal {

/// Used once. All calls but those of SegmentExchange on the thread of the job.
class SegmentPipeline final : private SegmentExchange {
 public:
  /// `format` null: plain tar. Both must outlive the pipeline.
  SegmentPipeline(BackupJob& job, CompressedFormat* format, unsigned workers);
  ~SegmentPipeline() override;

  /// Writes the whole archive, its end included. Throws Error, or what an observer has thrown.
  void run();

 private:
  [[nodiscard]] std::unique_ptr<Segment> empty_segment() override;
  void submit(std::unique_ptr<Segment> segment) override;

  void plan(TreeComparison& tree);
  void work();
  void build(SegmentBuilder& builder, BlockCompressor* compressor, Segment& segment);
  void check_stop();
  void write_ready(std::unique_lock<std::mutex>& lock);
  void write(Segment& segment);
  void finish_steps(Segment& segment) const;
  void report_all();
  void write_end();
  void emit(ByteView bytes);
  void fail(std::exception_ptr error);
  void stop_threads() noexcept;
  template <class Call>
  void guarded(const Call& call);

  BackupJob& job_;
  CompressedFormat* format_;
  SegmentReporter reporter_;
  std::size_t max_segment_bytes_;
  std::size_t segments_;  // that may exist

  // Of the one thread that writes.
  std::uint64_t stream_bytes_ = 0;
  std::uint64_t archive_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable planned_;   // there is a segment to be built, or nothing more comes
  std::condition_variable written_;   // there is a segment to be reported, or all threads have ended
  std::condition_variable returned_;  // there is room for a segment
  // All of the following is guarded by mutex_.
  std::deque<Segment*> todo_;                       // planned, nobody has it
  std::deque<std::unique_ptr<Segment>> under_way_;  // planned or built, in the order of the stream
  std::deque<std::unique_ptr<Segment>> to_report_;  // written
  std::vector<std::unique_ptr<Segment>> spare_;
  std::size_t existing_ = 0;
  bool all_planned_ = false;
  bool writing_ = false;
  bool stopping_ = false;
  std::exception_ptr error_;

  std::vector<std::thread> threads_;
};

}  // namespace autoarchive::tar_internal
