#include "segment_pipeline.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "tar_writer.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kPlainSegmentBytes = 1U << 20U;
// Up to this size there are enough segments that nobody waits for another; larger ones (xz) cost too much memory.
constexpr std::size_t kManySegmentsBytes = 4U << 20U;
// Of a segment that waits to be filled again.
constexpr std::size_t kMaxKeptBytes = 2 * kManySegmentsBytes;
constexpr std::size_t kMaxDirectories = 64;
constexpr std::size_t kMinDirectories = 4;
constexpr std::size_t kMaxOpenFiles = 16;
constexpr rlim_t kMaxDescriptors = 65'536;

/// Thrown on a thread that has to end because another one has failed.
struct Stopped {};

std::size_t segment_count(unsigned workers, std::size_t segment_bytes) {
  return segment_bytes <= kManySegmentsBytes ? std::size_t{2} * workers + 2 : std::size_t{workers} + 1;
}

// A segment keeps its entries' directories open until it is built, and files that several segments share. All together
// take at most half of what the process may open.
std::size_t descriptors_of_segment(std::size_t segments) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, kMaxDescriptors)) / 2 / segments;
}

// Headers make a segment a little longer than planned: the rest of a block of its own would cost more than a short
// block.
std::size_t planned_bytes(std::size_t block_bytes) {
  return (block_bytes - block_bytes / 32) / kBlockBytes * kBlockBytes;
}

SegmentLimits limits_of(const CompressedFormat* format, std::size_t segments) {
  SegmentLimits limits;
  const auto descriptors = descriptors_of_segment(segments);
  limits.open_files = std::clamp<std::size_t>(descriptors / 4, 1, kMaxOpenFiles);
  limits.directories = std::clamp<std::size_t>(descriptors - descriptors / 4, kMinDirectories, kMaxDirectories);
  limits.bytes_at = [format](std::uint64_t offset) {
    return format == nullptr ? kPlainSegmentBytes : planned_bytes(format->block_bytes_at(offset));
  };
  return limits;
}

}  // namespace

SegmentPipeline::SegmentPipeline(BackupJob& job, CompressedFormat* format, unsigned workers)
    : job_(job),
      format_(format),
      reporter_(job),
      max_segment_bytes_(format != nullptr ? format->block_bytes() : kPlainSegmentBytes),
      segments_(segment_count(workers, max_segment_bytes_)),
      threads_(workers + 1) {}

SegmentPipeline::~SegmentPipeline() {
  stop_threads();
}

// The calling thread's part of a thread: whatever it throws stops all.
template <class Call>
void SegmentPipeline::guarded(const Call& call) {
  try {
    call();
  } catch (const Stopped&) {
  } catch (...) {
    fail(std::current_exception());
  }
}

void SegmentPipeline::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  stopping_ = true;
  planned_.notify_all();
  written_.notify_all();
  returned_.notify_all();
}

void SegmentPipeline::stop_threads() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    planned_.notify_all();
    returned_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void SegmentPipeline::run() {
  const auto tree = job_.compare_with_parent();
  if (format_ != nullptr) {
    Buffer start;
    format_->append_start(start);
    emit(start);
  }
  try {
    threads_.front() = std::thread([&] { guarded([&] { plan(*tree); }); });
    for (auto thread = threads_.begin() + 1; thread != threads_.end(); ++thread)
      *thread = std::thread([this] { guarded([this] { work(); }); });
    report_all();
  } catch (...) {  // the threads use what belongs to the caller of run()
    stop_threads();
    throw;
  }
  stop_threads();
  write_end();
}

void SegmentPipeline::plan(TreeComparison& tree) {
  SegmentPlanner(job_, tree, *this, limits_of(format_, segments_)).run();
  const std::lock_guard lock(mutex_);
  all_planned_ = true;
  planned_.notify_all();
  written_.notify_all();
}

std::unique_ptr<Segment> SegmentPipeline::empty_segment() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return stopping_ || !spare_.empty() || existing_ < segments_; });
  if (stopping_) throw Stopped();
  if (spare_.empty()) {
    ++existing_;
    return std::make_unique<Segment>();
  }
  auto segment = std::move(spare_.back());
  spare_.pop_back();
  return segment;
}

void SegmentPipeline::submit(std::unique_ptr<Segment> segment) {
  const std::lock_guard lock(mutex_);
  todo_.push_back(segment.get());
  under_way_.push_back(std::move(segment));
  planned_.notify_one();
}

void SegmentPipeline::work() {
  SegmentBuilder builder(job_, job_.archive_comment());
  const auto compressor = format_ != nullptr ? format_->make_compressor() : nullptr;
  if (compressor) compressor->set_stop_check([this] { check_stop(); });
  std::unique_lock lock(mutex_);
  for (;;) {
    planned_.wait(lock, [this] { return stopping_ || !todo_.empty() || all_planned_; });
    if (stopping_ || todo_.empty()) return;
    Segment& segment = *todo_.front();
    todo_.pop_front();
    lock.unlock();
    build(builder, compressor.get(), segment);
    lock.lock();
    segment.built = true;
    if (!writing_) write_ready(lock);
  }
}

void SegmentPipeline::check_stop() {
  job_.check_stop();
  const std::lock_guard lock(mutex_);
  if (stopping_) throw Stopped();
}

void SegmentPipeline::build(SegmentBuilder& builder, BlockCompressor* compressor, Segment& segment) {
  builder.build(segment);
  if (compressor == nullptr || segment.bytes.size() == 0) return;
  check_stop();
  compressor->compress(segment.bytes.view(), segment.compressed);
}

// By one thread at a time: everything that is ready, in the order of the stream.
void SegmentPipeline::write_ready(std::unique_lock<std::mutex>& lock) {
  writing_ = true;
  while (!stopping_ && !under_way_.empty() && under_way_.front()->built) {
    auto segment = std::move(under_way_.front());
    under_way_.pop_front();
    lock.unlock();
    write(*segment);
    lock.lock();
    to_report_.push_back(std::move(segment));
    written_.notify_one();
  }
  writing_ = false;
  written_.notify_one();
}

void SegmentPipeline::emit(ByteView bytes) {
  if (bytes.empty()) return;
  job_.archive().write(bytes);
  archive_bytes_ += bytes.size();
}

void SegmentPipeline::write(Segment& segment) {
  if (segment.bytes.size() % kBlockBytes != 0)
    throw Error(ErrorCode::runtime_error, "a segment does not end on a block of the tar stream", ErrorCause::internal);
  segment.stream_offset = stream_bytes_;
  segment.archive_offset = archive_bytes_;
  finish_steps(segment);
  const auto bytes = segment.bytes.view();
  emit(format_ == nullptr ? bytes : ByteView(segment.compressed));
  if (format_ != nullptr && !bytes.empty()) format_->block_written(segment.compressed, bytes.size());
  stream_bytes_ += bytes.size();
}

// What can be known only in the order of the stream: places, and the digests of files that lie in several segments.
void SegmentPipeline::finish_steps(Segment& segment) const {
  for (auto& step : segment.steps) {
    auto& outcome = step.outcome;
    if (outcome.is_member && outcome.offset) *outcome.offset += segment.stream_offset;
    if (step.action != StepAction::part) continue;
    auto& file = *step.file;
    if (step.part_offset == 0) file.stream_offset = *outcome.offset;
    if (outcome.state != EntryState::ok && file.state != EntryState::failed) file.state = outcome.state;
    file.digest.update(segment.bytes.view().subspan(step.part_begin, static_cast<std::size_t>(step.part_bytes)));
    if (!outcome.is_done) continue;
    if (!file.is_unchanged() && file.state == EntryState::ok) file.state = EntryState::changed;
    if (file.state == EntryState::changed)
      outcome.problems.push_back({BackupSubOperation::read, BackupOperationError::file_changed, {}});
    outcome.state = file.state;
    outcome.digest = file.digest.value();
    outcome.stored_level = job_.level();
    outcome.offset = file.stream_offset;
    if (file.state == EntryState::failed) keep_earlier_content(step);
    step.file.reset();
  }
}

// Returns when all is written and told, or throws the first error.
void SegmentPipeline::report_all() {
  std::unique_lock lock(mutex_);
  for (;;) {
    written_.wait(
        lock, [this] { return error_ || !to_report_.empty() || (all_planned_ && under_way_.empty() && !writing_); });
    if (error_) std::rethrow_exception(error_);
    if (to_report_.empty()) return;
    auto segment = std::move(to_report_.front());
    to_report_.pop_front();
    lock.unlock();
    reporter_.report(*segment);
    if (format_ != nullptr && segment->bytes.size() != 0)
      job_.add_block({segment->archive_offset, segment->stream_offset});
    segment->steps.clear();
    segment->bytes.clear(std::min(2 * max_segment_bytes_, kMaxKeptBytes));
    segment->compressed.clear();
    segment->built = false;
    lock.lock();
    spare_.push_back(std::move(segment));
    returned_.notify_one();
  }
}

void SegmentPipeline::write_end() {
  SegmentBuffer end;
  append_end(end, stream_bytes_);
  if (format_ == nullptr) return emit(end.view());
  Buffer compressed;
  format_->make_compressor()->compress(end.view(), compressed);
  job_.add_block({archive_bytes_, stream_bytes_});
  emit(compressed);
  format_->block_written(compressed, end.size());
  Buffer tail;
  format_->append_end(tail);
  emit(tail);
}

}  // namespace autoarchive::tar_internal
