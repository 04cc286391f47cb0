/// \file
/// Counts and digests what passes through to another sink.
#pragma once

#include <cstdint>
#include <string>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// finish() also finishes the sink below, so that nothing is counted that is not durable.
class CountingSink final : public Sink {
 public:
  explicit CountingSink(std::unique_ptr<Sink> below) : below_(std::move(below)) {}

  void write(ByteView bytes) override;
  void finish() override;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// REQUIRES: finished.
  [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }

 private:
  std::unique_ptr<Sink> below_;
  Sha256 digest_;
  std::uint64_t count_ = 0;
  std::string sha256_;
};

}  // namespace autoarchive
