/// \file
/// Decodes a file by several threads, block by block, as a manifest's table says where they begin.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "codec.hpp"
#include "scratch.hpp"

namespace autoarchive::tar_internal {

/// Each thread decodes the next block into one of a few slots; read() takes them in order. What the slots hold together
/// is bounded: with large blocks there are fewer. A block must have exactly the bytes that the table gives it, else the
/// file is damaged. Destroyed in the middle, it stops. read() is called on one thread.
class ParallelDecoder final : public Decoder {
 public:
  /// Yields what decodes from the first of `blocks` on. None if the table can't be used or it does not pay: too few
  /// blocks, not in order, one that is too large, or not memory enough for two decoders. `memory_limit` is for the
  /// decoders of all threads together. `file` must outlive the decoder.
  [[nodiscard]] static std::unique_ptr<Decoder> make(const ReadableFile& file, std::string_view format,
                                                     std::vector<ArchiveBlock> blocks, Bytes memory_limit,
                                                     unsigned threads);
  ~ParallelDecoder() override;

  [[nodiscard]] std::size_t read(std::span<std::byte> out) override;

 private:
  struct Slot {
    std::size_t block = 0;  // index; which one it holds or is being filled with
    bool ready = false;
    Scratch room;
    std::size_t size = 0;  // of what is decoded
    std::exception_ptr error;
  };

  ParallelDecoder(const ReadableFile& file, std::string_view format, std::vector<ArchiveBlock> blocks,
                  Bytes memory_limit, std::size_t slots, unsigned threads);
  void work(const std::stop_token& stop);
  void decode(std::size_t block, Slot& slot) const;
  [[nodiscard]] Slot& slot_of(std::size_t block) { return slots_[block % slots_.size()]; }

  const ReadableFile& file_;
  std::string format_;
  std::vector<ArchiveBlock> blocks_;
  Bytes memory_limit_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Slot> slots_;     // guarded by mutex_, but for room and size of a slot that is being filled or read
  std::size_t next_start_ = 0;  // block that the next free thread takes; guarded by mutex_
  std::size_t next_read_ = 0;   // block that read() is in; guarded by mutex_
  std::size_t read_bytes_ = 0;  // of it; used by read() only
  std::vector<std::jthread> threads_;
};

}  // namespace autoarchive::tar_internal
