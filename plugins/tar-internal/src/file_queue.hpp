/// \file
/// Makes small files on other threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "file_maker.hpp"

namespace autoarchive::tar_internal {

/// What a file has in it, holes left out.
class FileContent {
 public:
  void add(const ContentPiece& piece);
  /// Keeps the memory: to get it from the system again for each file took a tenth of a restore's time.
  void clear() noexcept;
  /// The pieces again, one by one, in their order.
  [[nodiscard]] FileMaker::NextPiece reader() const;

 private:
  struct Piece {
    std::uint64_t offset = 0;  // in the file
    std::size_t size = 0;
  };
  std::vector<std::byte> bytes_;
  std::vector<Piece> pieces_;
};

/// What became of a file.
struct MadeFile {
  Entry entry;
  bool is_made = false;
  std::uint64_t content_bytes = 0;
  std::vector<std::string> problems;
};

/// Takes files in one order and gives their results in the same. Few wait at a time; their contents are in memory, and
/// should be small. Destroyed, it makes what it has begun, and nothing else. add() and take() are called on one thread.
class FileQueue {
 public:
  static constexpr unsigned kMaxThreads = 4;
  /// Numbers from 1 to `threads` are put behind the temporary names. REQUIRES: at most kMaxThreads.
  explicit FileQueue(unsigned threads);
  ~FileQueue();
  FileQueue(const FileQueue&) = delete;
  FileQueue& operator=(const FileQueue&) = delete;

  /// An empty one, with the memory of one that is done.
  [[nodiscard]] FileContent content();
  /// Waits while there is no room. No two files that wait may have one path.
  void add(NewFile file, FileContent content);
  /// The result of the next file; none if all have been taken or, unless `wait`, it is not made yet. Throws Error if
  /// the disk is full.
  [[nodiscard]] std::optional<MadeFile> take(bool wait);

 private:
  struct Job {
    NewFile file;
    FileContent content;
    MadeFile result;
    std::exception_ptr error;
    bool is_done = false;
  };

  void work(const std::stop_token& stop, unsigned number);
  void make(Job& job, unsigned number) const;
  void release();

  FileMaker maker_{/*keep_halves=*/false};
  std::mutex mutex_;
  std::condition_variable_any released_jobs_;
  std::condition_variable done_;
  std::deque<Job> jobs_;  // all that have not been taken; a job that has begun belongs to its thread
  std::vector<FileContent> spare_;
  std::size_t begun_ = 0;       // of jobs_
  std::size_t released_ = 0;    // of jobs_: threads may begin them
  std::size_t unfinished_ = 0;  // of jobs_
  std::vector<std::jthread> threads_;
};

}  // namespace autoarchive::tar_internal
