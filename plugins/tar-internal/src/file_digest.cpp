#include "file_digest.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "file_input.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;

std::string compute(const ReadableFile& file, const std::stop_token& stop, const std::stop_token& given_up) {
  Sha256 digest;
  std::vector<std::byte> buffer(std::clamp<std::uint64_t>(file.size(), 1, kReadBytes));
  for (std::uint64_t offset = 0;;) {
    if (stop.stop_requested() || given_up.stop_requested())
      throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
    const auto size = read_up_to_damage(file, offset, buffer);
    if (size == 0) return digest.finish();
    digest.update(ByteView(buffer).first(size));
    offset += size;
  }
}

}  // namespace

FileDigest::FileDigest(const ReadableFile& file, const std::stop_token& stop) {
  if (file.size() <= kReadBytes) {
    digest_ = compute(file, stop, {});
    return;
  }
  thread_ = std::jthread([this, &file, stop](const std::stop_token& given_up) {
    try {
      digest_ = compute(file, stop, given_up);
    } catch (...) {  // finish() throws it
      error_ = std::current_exception();
    }
  });
}

std::string FileDigest::finish() {
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(error_);
  return std::move(digest_);
}

}  // namespace autoarchive::tar_internal
