/// \file
/// Files of which it is counted how much is read.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

/// Counts by whatever thread. `bytes` must outlive it.
class MeteredFile final : public ReadableFile {
 public:
  MeteredFile(std::unique_ptr<ReadableFile> file, std::atomic<std::uint64_t>& bytes)
      : file_(std::move(file)), bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto got = file_->read_at(offset, buffer);
    bytes_ += got;
    return got;
  }
  [[nodiscard]] std::string description() const override { return file_->description(); }

 private:
  std::unique_ptr<ReadableFile> file_;
  std::atomic<std::uint64_t>& bytes_;
};

}  // namespace autoarchive::tar_internal
