#include "parallel_decoder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "file_input.hpp"

namespace autoarchive::tar_internal {
namespace {

// All blocks that are held decoded. The end of the last one is not in the table: it may have that much, too.
constexpr std::uint64_t kMaxHeldBytes = 64U << 20U;
constexpr std::size_t kMaxSlots = 32;
// What is read of a block at a time.
constexpr std::size_t kMaxPartBytes = 8U << 20U;
// Fewer blocks are decoded before the threads have started.
constexpr std::size_t kMinBlocks = 4;

/// A file up to a place.
class FileUpTo final : public ReadableFile {
 public:
  FileUpTo(const ReadableFile& file, std::uint64_t end) : file_(file), end_(end) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return end_; }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto left = offset < end_ ? end_ - offset : 0;
    return file_.read_at(offset, buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()))));
  }
  [[nodiscard]] std::string description() const override { return file_.description(); }

 private:
  const ReadableFile& file_;
  std::uint64_t end_;
};

/// The largest block, or 0 if the table is not in order.
std::uint64_t largest_block(const std::vector<ArchiveBlock>& blocks, std::uint64_t file_bytes) {
  if (blocks.empty() || blocks.back().offset >= file_bytes) return 0;
  std::uint64_t largest = 1;
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    if (blocks[i].offset <= blocks[i - 1].offset || blocks[i].stream_offset <= blocks[i - 1].stream_offset) return 0;
    largest = std::max(largest, blocks[i].stream_offset - blocks[i - 1].stream_offset);
  }
  return largest;
}

/// Whether a decoder of the first block is content with this much memory. All blocks of our files want the same.
bool is_enough(const ReadableFile& file, std::string_view format, const ArchiveBlock& block, Bytes memory) {
  FileInput input(file, block.offset);
  std::array<std::byte, 1> first{};
  try {
    static_cast<void>(make_block_decoder(format, file, input, memory)->read(first));
    return true;
  } catch (const Error&) {  // damage comes out again where it is read
    return false;
  }
}

}  // namespace

std::unique_ptr<Decoder> ParallelDecoder::make(const ReadableFile& file, std::string_view format,
                                               std::vector<ArchiveBlock> blocks, Bytes memory_limit, unsigned threads) {
  const auto largest = largest_block(blocks, file.size());
  if (largest == 0 || largest > kMaxHeldBytes || threads < 2 || blocks.size() < kMinBlocks || format == "tar")
    return nullptr;
  // The memory is for all of them together.
  while (threads > 1 && !is_enough(file, format, blocks.front(), {memory_limit.count / threads})) --threads;
  if (threads < 2) return nullptr;
  memory_limit.count /= threads;
  const auto fitting = std::clamp<std::size_t>(static_cast<std::size_t>(kMaxHeldBytes / largest), 1, kMaxSlots);
  const auto slots = std::min<std::size_t>(fitting, threads + 2U);
  return std::unique_ptr<Decoder>(new ParallelDecoder(file, format, std::move(blocks), memory_limit, slots, threads));
}

ParallelDecoder::ParallelDecoder(const ReadableFile& file, std::string_view format, std::vector<ArchiveBlock> blocks,
                                 Bytes memory_limit, std::size_t slots, unsigned threads)
    : file_(file), format_(format), blocks_(std::move(blocks)), memory_limit_(memory_limit), slots_(slots) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

ParallelDecoder::~ParallelDecoder() {
  for (auto& thread : threads_) thread.request_stop();
}

void ParallelDecoder::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return next_start_ < next_read_ + slots_.size(); })) {
    const auto block = next_start_;
    if (block == blocks_.size()) return;
    ++next_start_;
    auto& slot = slot_of(block);
    lock.unlock();
    std::exception_ptr error;
    try {
      decode(block, slot);
    } catch (...) {  // read() throws it when it comes there
      error = std::current_exception();
    }
    lock.lock();
    slot.block = block;
    slot.error = error;
    slot.ready = true;
    changed_.notify_all();
  }
}

// Whole where that is possible, the compressed bytes and the room for what they become: zstd then decodes into the
// room, without a window of its own.
void ParallelDecoder::decode(std::size_t block, Slot& slot) const {
  const bool is_last = block + 1 == blocks_.size();
  const FileUpTo part(file_, is_last ? file_.size() : blocks_[block + 1].offset);
  FileInput input(part, blocks_[block].offset, kMaxPartBytes);
  const auto decoder = make_block_decoder(format_, file_, input, memory_limit_);
  const auto wanted = is_last ? kMaxHeldBytes : blocks_[block + 1].stream_offset - blocks_[block].stream_offset;
  // One byte more than there may be shows that there is too much.
  const auto room = slot.room.at_least(static_cast<std::size_t>(wanted + 1));
  slot.size = 0;
  while (slot.size <= wanted) {
    const auto got = decoder->read(room.subspan(slot.size));
    if (got == 0) break;
    slot.size += got;
  }
  if (slot.size > wanted || (!is_last && slot.size != wanted))
    throw damaged(input, "a block has not the size that the manifest tells");
}

std::size_t ParallelDecoder::read(std::span<std::byte> out) {
  std::unique_lock lock(mutex_);
  while (next_read_ < blocks_.size()) {
    auto& slot = slot_of(next_read_);
    changed_.wait(lock, [&] { return slot.ready && slot.block == next_read_; });
    if (slot.error) std::rethrow_exception(slot.error);
    const auto count = std::min(out.size(), slot.size - read_bytes_);
    if (count > 0) {
      lock.unlock();
      std::copy_n(slot.room.at_least(slot.size).begin() + static_cast<std::ptrdiff_t>(read_bytes_), count, out.begin());
      read_bytes_ += count;
      return count;
    }
    slot.ready = false;
    read_bytes_ = 0;
    ++next_read_;
    changed_.notify_all();
  }
  return 0;
}

}  // namespace autoarchive::tar_internal
