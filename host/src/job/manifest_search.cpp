#include "job/manifest_search.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "autoarchive/manifest/manifest_reader.hpp"

namespace autoarchive::host {
namespace {

// Threads cost more than a smaller manifest takes.
constexpr std::size_t kMinParts = 4;
constexpr unsigned kMaxThreads = 8;  // each has a decoder with a window
// What a thread has found is handed over when it is that much.
constexpr std::size_t kMaxBatchBytes = 1U << 20U;

std::size_t memory_of(const ManifestEntry& line) {
  std::size_t bytes = sizeof line + line.entry.path.size() + line.entry.link_target.size();
  for (const auto& xattr : line.entry.xattrs) bytes += sizeof xattr + xattr.name.size() + xattr.value.size();
  return bytes;
}

/// Threads take the parts in turn, each with a reader of its own; whoever calls run() is given what they find.
class ParallelSearch {
 public:
  ParallelSearch(const IStorage& storage, const std::string& manifest, std::size_t parts, unsigned threads,
                 const std::function<bool(const ManifestEntry&)>& is_wanted)
      : storage_(storage), manifest_(manifest), is_wanted_(is_wanted), parts_(parts), slots_(threads + 2U) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  ParallelSearch(const ParallelSearch&) = delete;
  ParallelSearch& operator=(const ParallelSearch&) = delete;
  ~ParallelSearch() {
    for (auto& thread : threads_) thread.request_stop();
  }

  void run(const std::function<void(const ManifestEntry&)>& found) {
    std::unique_lock lock(mutex_);
    while (current_ < parts_) {
      auto& slot = slots_[current_ % slots_.size()];
      changed_.wait(lock, [&] { return slot.is_done || !slot.batch.empty(); });
      const auto batch = std::exchange(slot.batch, {});
      const bool is_done = slot.is_done;
      const auto error = slot.error;
      if (is_done) {
        slot = {};
        ++current_;
      }
      lock.unlock();
      changed_.notify_all();
      for (const auto& line : batch) found(line);
      if (error) std::rethrow_exception(error);
      lock.lock();
    }
  }

 private:
  /// Of the part whose number is the slot's, modulo how many there are.
  struct Slot {
    std::vector<ManifestEntry> batch;
    std::exception_ptr error;
    bool is_done = false;
  };

  void work(const std::stop_token& stop) {
    std::unique_ptr<ManifestReader> reader;
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return next_ == parts_ || next_ < current_ + slots_.size(); })) {
      if (next_ == parts_) return;
      const auto part = next_++;
      lock.unlock();
      std::exception_ptr error;
      std::vector<ManifestEntry> batch;
      try {
        if (!reader) reader = std::make_unique<ManifestReader>(storage_.open(manifest_));
        search(*reader, part, batch, stop);
      } catch (...) {  // run() throws it when it comes there
        error = std::current_exception();
      }
      hand_over(part, batch, stop);
      lock.lock();
      auto& slot = slots_[part % slots_.size()];
      slot.error = error;
      slot.is_done = true;
      changed_.notify_all();
    }
  }

  void search(ManifestReader& reader, std::size_t part, std::vector<ManifestEntry>& batch,
              const std::stop_token& stop) {
    std::size_t bytes = 0;
    reader.read_part(part);
    for (ManifestEntry line; !stop.stop_requested() && reader.next(line);) {
      if (!is_wanted_(line)) continue;
      bytes += memory_of(line);
      batch.push_back(std::move(line));
      if (bytes < kMaxBatchBytes) continue;
      hand_over(part, batch, stop);
      bytes = 0;
    }
  }

  // Waits until what was handed over before is taken.
  void hand_over(std::size_t part, std::vector<ManifestEntry>& batch, const std::stop_token& stop) {
    if (batch.empty()) return;
    std::unique_lock lock(mutex_);
    auto& slot = slots_[part % slots_.size()];
    if (changed_.wait(lock, stop, [&] { return slot.batch.empty(); })) slot.batch = std::exchange(batch, {});
    batch.clear();
    lock.unlock();
    changed_.notify_all();
  }

  const IStorage& storage_;
  const std::string& manifest_;
  const std::function<bool(const ManifestEntry&)>& is_wanted_;
  const std::size_t parts_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;               // part that no thread has taken
  std::size_t current_ = 0;            // part that run() is at
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace

void search_manifest(const IStorage& storage, const std::string& manifest,
                     const std::function<bool(const ManifestEntry&)>& is_wanted,
                     const std::function<void(const ManifestEntry&)>& found) {
  ManifestReader reader(storage.open(manifest));
  const auto threads = std::min(std::thread::hardware_concurrency(), kMaxThreads);
  if (threads > 1 && reader.parts() >= kMinParts) {
    ParallelSearch(storage, manifest, reader.parts(), threads, is_wanted).run(found);
    return ManifestReader::check(*storage.open(manifest));  // parts alone prove nothing of the others
  }
  for (ManifestEntry line; reader.next(line);) {
    if (is_wanted(line)) found(line);
  }
}

}  // namespace autoarchive::host
