#include "snapshot_file.hpp"

#include <span>

namespace autoarchive::tar_external {
namespace {

constexpr std::size_t kBufferBytes = 1U << 16U;

template <class Number>
void append_number(std::string& text, Number number) {
  text += std::to_string(number);
  text += '\0';
}

}  // namespace

SnapshotWriter::SnapshotWriter(Sink& out, Timestamp time) : out_(out) {
  buffer_ = "GNU tar-1.29-2\n";
  append_number(buffer_, time.seconds);
  append_number(buffer_, time.nanoseconds);
}

void SnapshotWriter::add(const SnapshotDirectory& directory) {
  append_number(buffer_, 0);  // no NFS: devices are compared by us, or not at all
  append_number(buffer_, directory.mtime.seconds);
  append_number(buffer_, directory.mtime.nanoseconds);
  append_number(buffer_, directory.device);
  append_number(buffer_, directory.inode);
  buffer_ += directory.name;
  buffer_ += '\0';
  for (const auto& name : directory.names) {
    buffer_ += name;
    buffer_ += '\0';
  }
  buffer_.append(2, '\0');
  if (buffer_.size() >= kBufferBytes) flush();
}

std::string SnapshotWriter::finish() {
  flush();
  return digest_.finish();
}

void SnapshotWriter::flush() {
  const auto bytes = std::as_bytes(std::span(buffer_));
  out_.write(bytes);
  digest_.update(bytes);
  buffer_.clear();
}

}  // namespace autoarchive::tar_external
