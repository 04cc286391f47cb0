#include "job/manifest_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"

namespace autoarchive::host {
namespace {

// Threads cost more than a smaller manifest takes.
constexpr std::size_t kMinParts = 4;
constexpr unsigned kMaxThreads = 8;  // each has a decoder with a window
// What a thread has found is handed over when it is that much.
constexpr std::size_t kMaxBatchBytes = 1U << 20U;

std::size_t memory_of(const ManifestEntry& line) {
  std::size_t bytes = sizeof line;
  for (const auto* text : {&line.entry.path, &line.entry.link_target, &line.entry.user, &line.entry.group})
    bytes += text->capacity();
  for (const auto& xattr : line.entry.xattrs) bytes += sizeof xattr + xattr.name.capacity() + xattr.value.capacity();
  return bytes;
}

/// The one file that all readers share, whatever takes its name meanwhile.
class SharedFile final : public ReadableFile {
 public:
  explicit SharedFile(std::shared_ptr<const ReadableFile> file) : file_(std::move(file)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    return file_->read_at(offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return file_->description(); }

 private:
  std::shared_ptr<const ReadableFile> file_;
};

/// Threads take the parts in turn, each with a reader of its own; whoever calls run() is given what they find.
class ParallelSearch {
 public:
  ParallelSearch(std::shared_ptr<const ReadableFile> file, std::vector<ManifestPart> parts, unsigned threads,
                 const std::function<bool(const ManifestEntry&)>& is_wanted)
      : file_(std::move(file)), is_wanted_(is_wanted), parts_(std::move(parts)), slots_(threads + 2U) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  ParallelSearch(const ParallelSearch&) = delete;
  ParallelSearch& operator=(const ParallelSearch&) = delete;
  ~ParallelSearch() {
    for (auto& thread : threads_) thread.request_stop();
  }

  /// Returns how many entries there are.
  std::uint64_t run(const std::function<void(const ManifestEntry&)>& found) {
    std::uint64_t entries = 0;
    std::unique_lock lock(mutex_);
    while (current_ < parts_.size()) {
      auto& slot = slots_[current_ % slots_.size()];
      changed_.wait(lock, [&] { return slot.is_done || !slot.batch.empty(); });
      const auto batch = std::exchange(slot.batch, {});
      const bool is_done = slot.is_done;
      const auto error = slot.error;
      if (is_done) {
        entries += slot.entries;
        slot = {};
        ++current_;
      }
      lock.unlock();
      changed_.notify_all();
      for (const auto& line : batch) found(line);
      if (error) std::rethrow_exception(error);
      lock.lock();
    }
    return entries;
  }

 private:
  /// Of the part whose number is the slot's, modulo how many there are.
  struct Slot {
    std::vector<ManifestEntry> batch;
    std::uint64_t entries = 0;  // all, found or not
    std::exception_ptr error;
    bool is_done = false;
  };

  void work(const std::stop_token& stop) {
    std::unique_ptr<ManifestReader> reader;
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return next_ == parts_.size() || next_ < current_ + slots_.size(); })) {
      if (next_ == parts_.size()) return;
      const auto part = next_++;
      lock.unlock();
      std::uint64_t entries = 0;
      std::exception_ptr error;
      std::vector<ManifestEntry> batch;
      try {
        if (!reader) reader = std::make_unique<ManifestReader>(std::make_unique<SharedFile>(file_));
        entries = search(*reader, part, batch, stop);
      } catch (...) {  // run() throws it when it comes there
        error = std::current_exception();
      }
      hand_over(part, batch, stop);
      lock.lock();
      auto& slot = slots_[part % slots_.size()];
      slot.entries = entries;
      slot.error = error;
      slot.is_done = true;
      changed_.notify_all();
    }
  }

  std::uint64_t search(ManifestReader& reader, std::size_t part, std::vector<ManifestEntry>& batch,
                       const std::stop_token& stop) {
    std::uint64_t entries = 0;
    std::size_t bytes = 0;
    reader.read_part(parts_[part]);
    for (ManifestEntry line; !stop.stop_requested() && reader.next(line);) {
      ++entries;
      if (!is_wanted_(line)) continue;
      bytes += memory_of(line);
      batch.push_back(std::move(line));
      if (bytes < kMaxBatchBytes) continue;
      hand_over(part, batch, stop);
      bytes = 0;
    }
    return entries;
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

  const std::shared_ptr<const ReadableFile> file_;
  const std::function<bool(const ManifestEntry&)>& is_wanted_;
  const std::vector<ManifestPart> parts_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;               // part that no thread has taken
  std::size_t current_ = 0;            // part that run() is at
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace

void search_manifest(std::unique_ptr<ReadableFile> manifest, const std::function<bool(const ManifestEntry&)>& is_wanted,
                     const std::function<void(const ManifestEntry&)>& found) {
  const std::shared_ptr<const ReadableFile> file = std::move(manifest);
  ManifestReader reader(std::make_unique<SharedFile>(file));
  const auto threads = std::min(std::thread::hardware_concurrency(), kMaxThreads);
  auto parts = threads > 1 ? reader.parts() : std::vector<ManifestPart>();
  if (parts.size() < kMinParts) {
    for (ManifestEntry line; reader.next(line);) {
      if (is_wanted(line)) found(line);
    }
    return;
  }
  const auto entries = ParallelSearch(file, std::move(parts), threads, is_wanted).run(found);
  ManifestReader::check(*file);
  if (entries != reader.closing().entries) {
    throw Error(ErrorCode::value_error,
                fmt::format("manifest {} is damaged: it has {} entries, and its last line says {}",
                            quote(file->description()), entries, reader.closing().entries),
                ErrorCause::damaged);
  }
}

}  // namespace autoarchive::host
