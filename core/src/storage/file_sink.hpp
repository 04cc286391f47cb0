/// \file
/// Writes a new local file.
#pragma once

#include <cstdint>
#include <string>

#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// finish() syncs and closes the file, and reports what the system has kept for that moment. A synced file is handed to
/// the disk as it grows, so that little is left to be waited for.
class FileSink final : public Sink {
 public:
  /// `description` is for messages.
  FileSink(UniqueFd fd, std::string description, bool sync) noexcept
      : fd_(std::move(fd)), description_(std::move(description)), sync_(sync) {}

  void write(ByteView bytes) override;
  void finish() override;

 private:
  UniqueFd fd_;
  std::string description_;
  bool sync_;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t handed_over_bytes_ = 0;  // to the disk
};

}  // namespace autoarchive
