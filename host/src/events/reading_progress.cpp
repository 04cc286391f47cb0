#include "events/reading_progress.hpp"

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

// A look at the end of a file, for an index there, is no progress.
constexpr std::uint64_t kMaxStepBytes = 256U << 20U;

}  // namespace

void ReadingProgress::read_up_to(std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  if (offset <= furthest_ || offset - furthest_ > kMaxStepBytes) return;
  furthest_ = offset;
  BackupProgress progress;
  progress.content_bytes = done_bytes_ + furthest_;
  progress.total_content_bytes = total_bytes_;
  display_.progress(progress);
}

void ReadingProgress::file_done(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  done_bytes_ += bytes;
  furthest_ = 0;
}

std::size_t WatchedFile::read_at(std::uint64_t offset, std::span<std::byte> buffer) const {
  try {
    const auto size = file_.read_at(offset, buffer);
    progress_.read_up_to(offset + size);
    return size;
  } catch (const Error&) {
    has_failed_ = true;
    throw;
  }
}

}  // namespace autoarchive::host
