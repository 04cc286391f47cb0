#include "autoarchive/archiver/stored_entry.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "autoarchive/base/digest.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

// Fills the buffer; what is not there is zero. Returns an errno, or ENODATA if the file ended before.
int fill(int fd, std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int os_errno = got < 0 ? errno : ENODATA;
      std::memset(buffer.data(), 0, buffer.size());
      return os_errno;
    }
    buffer = buffer.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return 0;
}

}  // namespace

StoredEntry::StoredEntry(BackupJob& job, const WalkItem& item) : job_(job) {
  manifest_.entry = item.entry;
  manifest_.stored_level = job.level();
  if (item.entry.kind != EntryKind::file) {
    job_.file_added(manifest_.entry.path);
    return;
  }
  opened_ = open_entry(item);
  if (opened_.fd) {
    manifest_.entry = opened_.entry;
    job_.file_added(manifest_.entry.path);
    return;
  }
  failed_ = true;
  job_.file_error(BackupSubOperation::open, manifest_.entry.path, opened_.os_errno);
  manifest_.state = EntryState::failed;
  manifest_.stored_level = -1;
  finish();
}

StoredEntry::~StoredEntry() = default;

std::uint32_t StoredEntry::stat_mode() const noexcept {
  const auto type = [&]() -> std::uint32_t {
    switch (manifest_.entry.kind) {
      case EntryKind::directory:
        return S_IFDIR;
      case EntryKind::symlink:
        return S_IFLNK;
      case EntryKind::fifo:
        return S_IFIFO;
      case EntryKind::character_device:
        return S_IFCHR;
      case EntryKind::block_device:
        return S_IFBLK;
      case EntryKind::socket:
        return S_IFSOCK;
      case EntryKind::file:
      case EntryKind::unknown:
        break;
    }
    return S_IFREG;
  };
  return type() | manifest_.entry.mode;
}

void StoredEntry::refuse(std::string_view text) {
  failed_ = true;
  job_.operation_error(BackupSubOperation::unknown_file_operation, BackupOperationError::unknown_error,
                       manifest_.entry.path, text);
  manifest_.state = EntryState::failed;
  manifest_.stored_level = -1;
  finish();
}

void StoredEntry::copy_content(Sink& out) {
  if (!opened_.fd) return;
  const auto& entry = manifest_.entry;
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(entry.size, kBufferBytes)));
  ContentDigest digest;
  int first_error = 0;
  for (std::uint64_t offset = 0; offset < entry.size;) {
    job_.check_stop();
    const auto part =
        std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), entry.size - offset)));
    const int os_errno = fill(opened_.fd.get(), offset, part);
    if (first_error == 0) first_error = os_errno;
    digest.update(part);
    out.write(part);
    offset += part.size();
  }
  manifest_.digest = digest.value();
  job_.content_stored(entry.size);
  struct stat status {};
  const bool changed = ::fstat(opened_.fd.get(), &status) != 0 ||
                       static_cast<std::uint64_t>(status.st_size) != entry.size ||
                       status.st_mtim.tv_sec != entry.mtime.seconds ||
                       static_cast<std::uint32_t>(status.st_mtim.tv_nsec) != entry.mtime.nanoseconds;
  if (first_error != 0 && first_error != ENODATA) {
    job_.file_error(BackupSubOperation::read, entry.path, first_error);
    manifest_.state = EntryState::failed;
  } else if (changed || first_error == ENODATA) {
    job_.operation_error(BackupSubOperation::read, BackupOperationError::file_changed, entry.path);
    manifest_.state = EntryState::changed;
  }
}

void StoredEntry::finish() {
  auto status = EntryStatus::added;
  if (manifest_.state == EntryState::failed) status = EntryStatus::failed;
  if (manifest_.state == EntryState::changed) status = EntryStatus::changed_while_read;
  job_.add_to_manifest(manifest_);
  job_.entry_done(manifest_.entry, status);
}

}  // namespace autoarchive
