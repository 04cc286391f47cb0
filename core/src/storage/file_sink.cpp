#include "file_sink.hpp"

#include <unistd.h>

#include <cerrno>

#include "autoarchive/base/error.hpp"

namespace autoarchive {

void FileSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error::from_errno(errno, "writing " + description_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void FileSink::finish() {
  // A failed fsync may have dropped the data already: never tried twice.
  if (sync_ && ::fsync(fd_.get()) != 0) throw Error::from_errno(errno, "syncing " + description_);
  fd_.close(("closing " + description_).c_str());
}

}  // namespace autoarchive
