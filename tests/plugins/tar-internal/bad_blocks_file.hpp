/// \file
/// Files on a medium that does not give back all of them.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "file_input.hpp"

namespace autoarchive::tar_internal {

/// Reading any byte of a bad block fails, as of a disk.
class BadBlocksFile final : public ReadableFile {
 public:
  /// `blocks` by their numbers, of kMediumBlockBytes each.
  BadBlocksFile(std::unique_ptr<ReadableFile> file, std::set<std::uint64_t> blocks)
      : file_(std::move(file)), blocks_(std::move(blocks)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto bad = blocks_.lower_bound(offset / kMediumBlockBytes);
    if (bad != blocks_.end() && *bad * kMediumBlockBytes < offset + buffer.size())
      throw Error::from_errno(EIO, "reading " + file_->description());
    return file_->read_at(offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return file_->description(); }

 private:
  std::unique_ptr<ReadableFile> file_;
  std::set<std::uint64_t> blocks_;
};

}  // namespace autoarchive::tar_internal
