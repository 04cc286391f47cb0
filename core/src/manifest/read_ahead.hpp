/// \file
/// Lets a source of items work on a thread of its own while its items are used on another.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace autoarchive {

/// Items go from thread to thread in batches, because a hand-over costs as much as some of them. At most three batches
/// exist: one that is filled, one that waits, one that is used; so memory is bounded, and the source waits if nobody
/// takes them. What the source throws is thrown by next() in its turn. The source is only used on that thread.
template <class Item>
class ReadAhead {
 public:
  /// Fills in the next item and returns true, or returns false at the end. `is_enough` may be set to hand the batch
  /// over before it is full, e.g. because its items hold descriptors.
  using Source = std::function<bool(Item& item, bool& is_enough)>;

  ReadAhead(Source source, std::size_t batch_items) : source_(std::move(source)), batch_items_(batch_items) {
    thread_ = std::thread([this] { run(); });
  }
  ~ReadAhead() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next item is swapped into `item`, so that buffers go round. False at the end.
  [[nodiscard]] bool next(Item& item) {
    if (used_ == current_.size && !take_batch()) return false;
    std::swap(item, current_.items[used_++]);
    return true;
  }

 private:
  struct Batch {
    std::vector<Item> items;
    std::size_t size = 0;
  };
  static constexpr std::size_t kWaitingBatches = 1;

  bool take_batch() {
    std::unique_lock lock(mutex_);
    if (current_.items.size() == batch_items_) spare_.push_back(std::move(current_));
    current_ = {};
    used_ = 0;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
      return false;
    }
    current_ = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return true;
  }

  void run() {
    try {
      for (bool more = true; more;) {
        Batch batch = empty_batch();
        more = fill(batch);
        if (!hand_over(std::move(batch))) return;
      }
    } catch (...) {  // next() rethrows it
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  Batch empty_batch() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {std::vector<Item>(batch_items_), 0};
    Batch batch = std::move(spare_.back());
    spare_.pop_back();
    batch.size = 0;
    return batch;
  }

  bool fill(Batch& batch) {
    bool is_enough = false;
    while (batch.size < batch_items_ && !is_enough) {
      if (!source_(batch.items[batch.size], is_enough)) return false;
      ++batch.size;
    }
    return true;
  }

  // False if nobody wants any more.
  bool hand_over(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < kWaitingBatches; });
    if (stopping_) return false;
    if (batch.size != 0) ready_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  Source source_;
  std::size_t batch_items_;
  Batch current_;         // of the thread that uses the items
  std::size_t used_ = 0;  // of it

  std::mutex mutex_;
  std::condition_variable changed_;
  // All of the following is guarded by mutex_.
  std::deque<Batch> ready_;
  std::vector<Batch> spare_;
  bool ended_ = false;
  bool stopping_ = false;
  std::exception_ptr error_;

  std::thread thread_;
};

}  // namespace autoarchive
