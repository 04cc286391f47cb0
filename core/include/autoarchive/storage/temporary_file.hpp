/// \file
/// An unnamed file for what one run has to remember, so that memory does not grow with the tree.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// Written from front to end, finished, then read at any place. Only its owner may open it, and it is gone with its
/// last descriptor, however the process ends. Not thread-safe.
class AA_EXPORT TemporaryFile final : public Sink {
 public:
  /// On the file system of `directory`. Throws Error(os_error).
  explicit TemporaryFile(const std::filesystem::path& directory);

  void write(ByteView bytes) override;
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Everything is in the file, and can be read. May be called again after further writes.
  void finish() override;

  /// What has been written so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// REQUIRES: finished, and [offset, offset + length) has been written. Throws Error(os_error).
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t length) const;
  /// A reader of its own, which may outlive this. REQUIRES: finished.
  [[nodiscard]] std::unique_ptr<ReadableFile> reader() const;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// How a child opens it that inherits fd(), e.g. "/dev/fd/7".
  [[nodiscard]] std::string path_in_child() const { return "/dev/fd/" + std::to_string(fd_.get()); }

 private:
  UniqueFd fd_;
  std::string buffer_;
  std::uint64_t size_ = 0;
};

}  // namespace autoarchive
