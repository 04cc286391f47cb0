/// \file
/// Counts and digests what passes through to another sink.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// finish() also finishes the sink below, so that nothing is counted that is not durable. Large pieces are digested by
/// a thread of its own while they are being written, as SHA-256 takes about as long as the writing: write() returns
/// when both are done, so that nothing is copied and nothing queued.
class CountingSink final : public Sink {
 public:
  /// `with_digest` false: sha256() stays empty.
  CountingSink(std::unique_ptr<Sink> below, bool with_digest);
  ~CountingSink() override;

  void write(ByteView bytes) override;
  void finish() override;

  /// Thread-safe.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// REQUIRES: finished.
  [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }

 private:
  class Piece;
  void digest_pieces();

  std::unique_ptr<Sink> below_;
  bool with_digest_;
  Sha256 digest_;
  std::atomic<std::uint64_t> count_ = 0;
  std::string sha256_;

  std::mutex mutex_;
  std::condition_variable changed_;
  ByteView piece_;            // guarded by mutex_; empty: nothing to do
  std::exception_ptr error_;  // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
  std::thread digester_;      // started with the first large piece
};

}  // namespace autoarchive
