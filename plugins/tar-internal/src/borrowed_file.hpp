/// \file
/// A file that somebody else keeps open, for a reader that wants to own one.
#pragma once

#include <span>
#include <string>

#include "autoarchive/storage/istorage.hpp"
#include "file_input.hpp"

namespace autoarchive::tar_internal {

/// What the medium does not give back of it is damage (cause damaged). Thread-safe as the file below is.
class BorrowedFile final : public ReadableFile {
 public:
  /// `file` must outlive this object.
  explicit BorrowedFile(const ReadableFile& file) : file_(file) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    return read_or_damage(file_, offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return file_.description(); }

 private:
  const ReadableFile& file_;
};

}  // namespace autoarchive::tar_internal
