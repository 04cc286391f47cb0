#include "open_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace autoarchive::tar_internal {
namespace {

Timestamp to_timestamp(const timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

}  // namespace

OpenFile::ReadResult read_exactly(int fd, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const auto got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int os_errno = got < 0 ? errno : 0;
      std::memset(out.data(), 0, out.size());
      return {os_errno != 0 ? EntryState::failed : EntryState::changed, os_errno};
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

bool is_as_it_was(int fd, const Entry& entry) {
  struct stat now {};
  return ::fstat(fd, &now) == 0 && static_cast<std::uint64_t>(now.st_size) == entry.size &&
         to_timestamp(now.st_mtim) == entry.mtime && to_timestamp(now.st_ctim) == entry.ctime &&
         (now.st_mode & 07777U) == entry.mode && now.st_uid == entry.uid && now.st_gid == entry.gid;
}

SparseMap find_holes(const OpenedEntry& file) {
  const bool may_have_holes = file.allocated_bytes < file.entry.size;
  return may_have_holes ? read_sparse_map(file.fd.get(), file.entry.size) : SparseMap();
}

OpenFile::OpenFile(OpenedEntry opened, bool sparse) : opened_(std::move(opened)) {
  if (sparse) map_ = find_holes(opened_);
  if (is_sparse()) map_text_ = map_.text();
  stored_bytes_ = is_sparse() ? map_text_.size() + map_.data_bytes() : entry().size;
}

OpenFile::ReadResult OpenFile::read_content(std::uint64_t offset, std::span<std::byte> out) const {
  ReadResult worst;
  for (const auto& piece : map_.pieces) {
    if (out.empty()) break;
    if (offset >= piece.length) {
      offset -= piece.length;
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length - offset));
    const auto result = read_exactly(fd(), piece.offset + offset, out.first(count));
    if (result.state != EntryState::ok) worst = result;
    out = out.subspan(count);
    offset = 0;
  }
  return worst;
}

OpenFile::ReadResult OpenFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (!is_sparse()) return read_exactly(fd(), offset, out);
  if (offset < map_text_.size()) {
    const auto count = std::min(out.size(), map_text_.size() - static_cast<std::size_t>(offset));
    std::memcpy(out.data(), map_text_.data() + offset, count);
    out = out.subspan(count);
    offset += count;
  }
  return read_content(offset - map_text_.size(), out);
}

bool OpenFile::is_unchanged() const {
  return is_as_it_was(fd(), entry());
}

}  // namespace autoarchive::tar_internal
