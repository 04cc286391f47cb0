#include "file_queue.hpp"

#include <span>
#include <utility>

namespace autoarchive::tar_internal {
namespace {

// Each has a file's content in memory, and may keep a directory open.
constexpr std::size_t kMaxUnfinished = 64;
// To wake a thread takes as long as to make half a file.
constexpr std::size_t kReleasedAtOnce = 8;

}  // namespace

void FileContent::add(const ContentPiece& piece) {
  bytes_.insert(bytes_.end(), piece.bytes.begin(), piece.bytes.end());
  pieces_.push_back({piece.offset, piece.bytes.size()});
}

void FileContent::clear() noexcept {
  bytes_.clear();
  pieces_.clear();
}

FileMaker::NextPiece FileContent::reader() const {
  return [this, next = std::size_t{0}, at = std::size_t{0}](ContentPiece& piece) mutable {
    if (next == pieces_.size()) return false;
    piece = {pieces_[next].offset, ByteView(bytes_).subspan(at, pieces_[next].size)};
    at += pieces_[next++].size;
    return true;
  };
}

FileQueue::FileQueue(unsigned threads) {
  for (unsigned number = 1; number <= threads; ++number)
    threads_.emplace_back([this, number](const std::stop_token& stop) { work(stop, number); });
}

FileQueue::~FileQueue() {
  for (auto& thread : threads_) thread.request_stop();
}

void FileQueue::work(const std::stop_token& stop, unsigned number) {
  std::unique_lock lock(mutex_);
  while (released_jobs_.wait(lock, stop, [this] { return begun_ < released_; }) && !stop.stop_requested()) {
    auto& job = jobs_[begun_++];
    lock.unlock();
    make(job, number);
    lock.lock();
    spare_.push_back(std::move(job.content));
    job.is_done = true;
    --unfinished_;
    done_.notify_one();
  }
}

void FileQueue::make(Job& job, unsigned number) const {
  job.file.temporary += std::to_string(number);
  auto& result = job.result;
  const auto report = [&](std::string_view /*path*/, std::string_view text) { result.problems.emplace_back(text); };
  try {
    result.is_made = maker_.make(job.file, job.content.reader(), /*is_right=*/{}, report, result.content_bytes);
  } catch (...) {  // take() throws it
    job.error = std::current_exception();
  }
  job.content.clear();
  result.entry = std::move(job.file.entry);
  job.file.parent.reset();
}

void FileQueue::release() {
  released_ = jobs_.size();
  released_jobs_.notify_all();
}

FileContent FileQueue::content() {
  const std::scoped_lock lock(mutex_);
  if (spare_.empty()) return {};
  auto content = std::move(spare_.back());
  spare_.pop_back();
  return content;
}

void FileQueue::add(NewFile file, FileContent content) {
  std::unique_lock lock(mutex_);
  if (unfinished_ == kMaxUnfinished) {
    release();
    done_.wait(lock, [this] { return unfinished_ < kMaxUnfinished; });
  }
  ++unfinished_;
  jobs_.push_back({std::move(file), std::move(content), {}, nullptr, false});
  if (jobs_.size() - released_ >= kReleasedAtOnce) release();
}

std::optional<MadeFile> FileQueue::take(bool wait) {
  std::unique_lock lock(mutex_);
  if (jobs_.empty()) return std::nullopt;
  if (wait && !jobs_.front().is_done) {
    release();
    done_.wait(lock, [this] { return jobs_.front().is_done; });
  }
  if (!jobs_.front().is_done) return std::nullopt;
  if (jobs_.front().error) std::rethrow_exception(jobs_.front().error);
  auto result = std::move(jobs_.front().result);
  jobs_.pop_front();
  --begun_;
  --released_;
  return result;
}

}  // namespace autoarchive::tar_internal
