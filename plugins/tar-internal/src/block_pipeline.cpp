#include "block_pipeline.hpp"

#include <algorithm>
#include <utility>

namespace autoarchive::tar_internal {

BlockPipeline::BlockPipeline(Sink& below, CompressedFormat& format, unsigned threads, BlockReport report)
    : below_(below), format_(format), report_(std::move(report)), max_blocks_(std::size_t{2} * threads + 2) {
  filling_ = new_block();
  Buffer start;
  format_.append_start(start);
  emit(start);
  for (unsigned i = 0; i < threads; ++i) {
    compressors_.push_back(format_.make_compressor());
    workers_.emplace_back([this, compressor = compressors_.back().get()] { work(*compressor); });
  }
}

BlockPipeline::~BlockPipeline() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    todo_.clear();
  }
  work_available_.notify_all();
  for (auto& worker : workers_) worker.join();
}

std::unique_ptr<BlockPipeline::Block> BlockPipeline::new_block() {
  if (spare_.empty()) {
    auto block = std::make_unique<Block>();
    block->input.reserve(format_.block_bytes());
    return block;
  }
  auto block = std::move(spare_.back());
  spare_.pop_back();
  block->input.clear();
  block->output.clear();
  block->done = false;
  return block;
}

void BlockPipeline::emit(ByteView bytes) {
  if (bytes.empty()) return;
  below_.write(bytes);
  written_bytes_ += bytes.size();
}

void BlockPipeline::work(BlockCompressor& compressor) {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_available_.wait(lock, [this] { return stopping_ || !todo_.empty(); });
    if (stopping_) return;
    Block& block = *todo_.front();
    todo_.pop_front();
    lock.unlock();
    try {
      compressor.compress(block.input, block.output);
    } catch (...) {  // rethrown by the caller's thread, in the block's turn
      block.error = std::current_exception();
    }
    lock.lock();
    block.done = true;
    block_done_.notify_one();
  }
}

void BlockPipeline::write_oldest() {
  auto block = std::move(under_way_.front());
  under_way_.pop_front();
  {
    std::unique_lock lock(mutex_);
    block_done_.wait(lock, [&] { return block->done; });
  }
  if (block->error) std::rethrow_exception(block->error);
  if (report_) report_({written_bytes_, stream_bytes_});
  emit(block->output);
  format_.block_written(block->output, block->input.size());
  stream_bytes_ += block->input.size();
  spare_.push_back(std::move(block));
}

void BlockPipeline::submit() {
  while (under_way_.size() + 1 >= max_blocks_) write_oldest();
  Block* const block = filling_.get();
  under_way_.push_back(std::move(filling_));
  {
    const std::lock_guard lock(mutex_);
    todo_.push_back(block);
  }
  work_available_.notify_one();
  filling_ = new_block();
}

void BlockPipeline::write(ByteView bytes) {
  const auto block_bytes = format_.block_bytes();
  while (!bytes.empty()) {
    const auto count = std::min(bytes.size(), block_bytes - filling_->input.size());
    filling_->input.insert(filling_->input.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (filling_->input.size() == block_bytes) submit();
  }
}

void BlockPipeline::finish() {
  if (!filling_->input.empty()) submit();
  while (!under_way_.empty()) write_oldest();
  Buffer end;
  format_.append_end(end);
  emit(end);
}

}  // namespace autoarchive::tar_internal
