/// \file
/// Compresses a stream by several threads, and writes it in order.
///
/// Who holds what: the caller's thread fills a block; a worker holds one block and its compressed bytes while it works;
/// the caller's thread writes finished blocks in order, while it hands over the next ones. Memory is bounded because at
/// most 2 x threads + 2 blocks exist: when all of them are under way, the caller waits for the oldest. The first error
/// of a worker is thrown on the caller's thread, and no block behind it is written. The destructor stops the workers
/// after the block in their hands.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/sink.hpp"
#include "codec.hpp"

namespace autoarchive::tar_internal {

/// A sink on top of another, which it does not finish. Used on one thread.
class BlockPipeline final : public Sink {
 public:
  using BlockReport = std::function<void(ArchiveBlock)>;
  /// `below` and `format` must outlive the pipeline. `report` is called on the caller's thread with the place of every
  /// block.
  BlockPipeline(Sink& below, CompressedFormat& format, unsigned threads, BlockReport report);
  ~BlockPipeline() override;

  void write(ByteView bytes) override;
  void finish() override;

 private:
  struct Block {
    Buffer input;
    Buffer output;
    std::exception_ptr error;
    bool done = false;
  };

  void work(BlockCompressor& compressor);
  void submit();
  void write_oldest();
  void emit(ByteView bytes);
  [[nodiscard]] std::unique_ptr<Block> new_block();

  Sink& below_;
  CompressedFormat& format_;
  BlockReport report_;
  std::size_t max_blocks_;
  std::uint64_t written_bytes_ = 0;  // compressed, to the sink below
  std::uint64_t stream_bytes_ = 0;   // uncompressed, of the blocks that are written
  std::unique_ptr<Block> filling_;
  std::vector<std::unique_ptr<Block>> spare_;
  std::deque<std::unique_ptr<Block>> under_way_;  // in the order of the stream

  std::mutex mutex_;
  std::condition_variable work_available_;
  std::condition_variable block_done_;
  std::deque<Block*> todo_;  // guarded by mutex_, as is Block::done
  bool stopping_ = false;    // guarded by mutex_
  std::vector<std::unique_ptr<BlockCompressor>> compressors_;
  std::vector<std::thread> workers_;
};

}  // namespace autoarchive::tar_internal
