#include "file_sink.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

constexpr std::uint64_t kHandOverBytes = 8U << 20U;

}  // namespace

void FileSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error::from_errno(errno, "writing " + description_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    written_bytes_ += static_cast<std::uint64_t>(written);
  }
  if (!sync_ || written_bytes_ - handed_over_bytes_ < kHandOverBytes) return;
  // Only begins to write; where the file system can't, the sync at the end does it all.
  ::sync_file_range(fd_.get(), static_cast<off_t>(handed_over_bytes_),
                    static_cast<off_t>(written_bytes_ - handed_over_bytes_), SYNC_FILE_RANGE_WRITE);
  handed_over_bytes_ = written_bytes_;
}

void FileSink::finish() {
  // A failed fsync may have dropped the data already: never tried twice.
  if (sync_ && ::fsync(fd_.get()) != 0) throw Error::from_errno(errno, "syncing " + description_);
  fd_.close(("closing " + description_).c_str());
}

}  // namespace autoarchive
