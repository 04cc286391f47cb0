/// \file
/// Progress of what reads archives from one end to the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "autoarchive/storage/istorage.hpp"
#include "events/progress_display.hpp"

namespace autoarchive::host {

/// Shown by whichever thread reads; nothing else may print meanwhile. Thread-safe.
class ReadingProgress {
 public:
  /// `total_bytes` is the size of all files that will be read.
  ReadingProgress(Console& console, std::string what, ProgressStyle style, std::uint64_t total_bytes)
      : display_(console, std::move(what), style), total_bytes_(total_bytes) {}

  void read_up_to(std::uint64_t offset);
  /// The next file.
  void file_done(std::uint64_t bytes);

 private:
  std::mutex mutex_;
  ProgressDisplay display_;  // guarded by mutex_, as all that follows
  std::uint64_t total_bytes_;
  std::uint64_t done_bytes_ = 0;  // of the files before
  std::uint64_t furthest_ = 0;    // in this one
};

/// A file whose reading is shown: how far the furthest reader has come. It remembers, too, whether reading has failed:
/// who has it read and written elsewhere at the same time knows then whose fault an error was. Thread-safe.
class WatchedFile final : public ReadableFile {
 public:
  /// Both must outlive this object.
  WatchedFile(const ReadableFile& file, ReadingProgress& progress) : file_(file), progress_(progress) {}
  ~WatchedFile() override { progress_.file_done(file_.size()); }
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;

  [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override;
  [[nodiscard]] std::string description() const override { return file_.description(); }
  [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

 private:
  const ReadableFile& file_;
  ReadingProgress& progress_;
  mutable std::atomic<bool> has_failed_ = false;
};

}  // namespace autoarchive::host
