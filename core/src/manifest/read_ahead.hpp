/// \file
/// Lets a source of items work on a thread of its own while its items are used on another.
#pragma once

#include <algorithm>
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

/// Items go from thread to thread in batches, because a hand-over costs as much as some of them. At most six batches
/// exist: one that is filled, four that wait, one that is used; so memory is bounded. (With one that waits, the threads
/// of a comparison waited for each other a quarter of their time.) What the source or `finish` throws is thrown by
/// next() in its turn.
///
/// Work on an item that does not depend on the others can be left out of the source and given as `finish`. Whoever has
/// time does it: the source's thread when enough batches wait, or else the thread that uses the items. So both are
/// busy, whichever is the slower; a third thread in between was no faster, as it shared a core with one of them.
template <class Item>
class ReadAhead {
 public:
  /// Fills in the next item and returns true, or returns false at the end. `is_enough` may be set to hand the batch
  /// over before it is full, e.g. because its items hold descriptors. Only called on the thread of this object.
  using Source = std::function<bool(Item& item, bool& is_enough)>;
  /// Called once for each item, of different items at the same time.
  using Finish = std::function<void(Item& item)>;

  ReadAhead(Source source, std::size_t batch_items, Finish finish = {})
      : source_(std::move(source)), finish_(std::move(finish)), batch_items_(batch_items) {
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

  /// The next item, which the caller may take apart, until the next call. Null at the end.
  [[nodiscard]] Item* next() {
    if (used_ == current_.size && !take_batch()) return nullptr;
    return &current_.items[used_++];
  }

 private:
  enum class BatchState { made, being_finished, finished };
  struct Batch {
    std::vector<Item> items;
    std::size_t size = 0;
    BatchState state = BatchState::made;
  };
  static constexpr std::size_t kWaitingBatches = 4;

  bool take_batch() {
    std::unique_lock lock(mutex_);
    if (current_.items.size() == batch_items_) spare_.push_back(std::move(current_));
    current_ = {};
    used_ = 0;
    changed_.notify_all();
    changed_.wait(lock,
                  [this] { return ready_.empty() ? ended_ : ready_.front().state != BatchState::being_finished; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
      return false;
    }
    current_ = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    lock.unlock();
    if (current_.state == BatchState::made) finish(current_);
    return true;
  }

  void run() {
    try {
      std::exception_ptr error;
      for (bool more = true; more;) {
        Batch batch = empty_batch();
        try {
          more = fill(batch);
        } catch (...) {  // comes after the items before it
          error = std::current_exception();
          more = false;
        }
        if (!hand_over(std::move(batch))) return;
      }
      if (error) std::rethrow_exception(error);
    } catch (...) {  // next() rethrows it
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      // Where an item could not be finished, nothing behind it is given away.
      ready_.erase(std::find_if(ready_.begin(), ready_.end(),
                                [](const Batch& batch) { return batch.state == BatchState::being_finished; }),
                   ready_.end());
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  Batch empty_batch() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {std::vector<Item>(batch_items_), 0, BatchState::made};
    Batch batch = std::move(spare_.back());
    spare_.pop_back();
    batch.size = 0;
    batch.state = BatchState::made;
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

  void finish(Batch& batch) {
    if (finish_) std::for_each_n(batch.items.begin(), batch.size, finish_);
  }

  // False if nobody wants any more.
  bool hand_over(Batch batch) {
    std::unique_lock lock(mutex_);
    while (!stopping_ && ready_.size() >= kWaitingBatches) {
      if (!finish_newest(lock)) changed_.wait(lock);
    }
    if (stopping_) return false;
    if (batch.size != 0) ready_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  // The one that will be wanted last. False if there is none to be finished.
  bool finish_newest(std::unique_lock<std::mutex>& lock) {
    const auto newest = std::find_if(ready_.rbegin(), ready_.rend(),
                                     [](const Batch& batch) { return batch.state == BatchState::made; });
    if (newest == ready_.rend()) return false;
    Batch& batch = *newest;  // stays where it is: only this thread adds to the queue, and nobody takes what is in work
    batch.state = BatchState::being_finished;
    lock.unlock();
    finish(batch);
    lock.lock();
    batch.state = BatchState::finished;
    changed_.notify_all();
    return true;
  }

  Source source_;
  Finish finish_;
  std::size_t batch_items_;
  Batch current_;         // of the thread that uses the items
  std::size_t used_ = 0;  // of it

  std::mutex mutex_;
  std::condition_variable changed_;
  // All of the following is guarded by mutex_, but the items of a batch that is being finished.
  std::deque<Batch> ready_;
  std::vector<Batch> spare_;
  bool ended_ = false;
  bool stopping_ = false;
  std::exception_ptr error_;

  std::thread thread_;
};

}  // namespace autoarchive
