/// \file
/// SHA-256 of a file while something else reads it.
#pragma once

#include <exception>
#include <stop_token>
#include <string>
#include <thread>

#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::tar_internal {

/// By a thread of its own where that pays. Destroyed before finish(), it gives up.
class FileDigest {
 public:
  /// `file` must outlive this object.
  FileDigest(const ReadableFile& file, const std::stop_token& stop);
  /// 64 hexadecimal digits. Throws what reading throws, and Error(cancelled) when a stop was requested. REQUIRES:
  /// called once.
  [[nodiscard]] std::string finish();

 private:
  std::string digest_;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace autoarchive::tar_internal
