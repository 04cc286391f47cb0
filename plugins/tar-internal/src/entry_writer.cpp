#include "entry_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "sparse_map.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint64_t kStatBlockBytes = 512;  // the unit of st_blocks

bool has_holes(int fd, const Entry& entry) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && static_cast<std::uint64_t>(status.st_blocks) * kStatBlockBytes < entry.size;
}

bool differs(const struct stat& now, const Entry& entry) {
  return static_cast<std::uint64_t>(now.st_size) != entry.size || now.st_mtim.tv_sec != entry.mtime.seconds ||
         static_cast<std::uint32_t>(now.st_mtim.tv_nsec) != entry.mtime.nanoseconds ||
         now.st_ctim.tv_sec != entry.ctime.seconds ||
         static_cast<std::uint32_t>(now.st_ctim.tv_nsec) != entry.ctime.nanoseconds ||
         (now.st_mode & 07777U) != entry.mode || now.st_uid != entry.uid || now.st_gid != entry.gid;
}

}  // namespace

EntryWriter::EntryWriter(BackupJob& job, TarWriter& tar) : job_(job), tar_(tar), metadata_(job.request().metadata) {}

void EntryWriter::add(WalkItem& item) {
  if (item.event == WalkEvent::entry) return add_entry(item);
  if (item.event == WalkEvent::excluded) return job_.entry_done(item.entry, EntryStatus::excluded, item.rule);
  job_.walk_problem(item);
  if (item.event != WalkEvent::list_failed) job_.entry_done(item.entry, EntryStatus::failed);
}

void EntryWriter::add_entry(WalkItem& item) {
  job_.check_stop();
  auto& entry = item.entry;
  if (metadata_.owner_names) {
    entry.user = owners_.user(entry.uid);
    entry.group = owners_.group(entry.gid);
  }
  if (entry.kind != EntryKind::directory && entry.link_count > 1 && add_as_hard_link(entry)) return;
  if (entry.kind == EntryKind::file) return add_file(item);
  add_other(item);
}

bool EntryWriter::add_as_hard_link(const Entry& entry) {
  const auto first = linked_.find({entry.device, entry.inode});
  if (first == linked_.end()) return false;
  const auto offset = tar_.offset();
  job_.file_added(entry.path);
  write_header(entry, first->second.path, 0);
  record(entry, {first->second.digest, EntryState::ok}, offset);
  return true;
}

void EntryWriter::add_other(WalkItem& item) {
  const bool readable = item.entry.kind == EntryKind::directory && item.listed;
  const auto opened = readable ? open_entry(item) : OpenedEntry{};
  read_attributes(item, opened.fd.get());
  const auto offset = tar_.offset();
  job_.file_added(item.entry.path);
  write_header(item.entry, {}, 0);
  if (item.entry.link_count > 1 && item.entry.kind != EntryKind::directory) {
    linked_.try_emplace({item.entry.device, item.entry.inode}, Stored{item.entry.path, {}});
  }
  record(item.entry, {{}, item.listed ? EntryState::ok : EntryState::failed}, offset);
}

void EntryWriter::add_file(WalkItem& item) {
  auto opened = open_entry(item);
  if (!opened.fd) {
    job_.file_error(BackupSubOperation::open, item.entry.path, opened.os_errno);
    return record(item.entry, {{}, opened.os_errno == ENOENT ? EntryState::vanished : EntryState::failed}, {});
  }
  // What is stored is what the descriptor says, not what the listing said a moment ago.
  opened.entry.user = std::move(item.entry.user);
  opened.entry.group = std::move(item.entry.group);
  item.entry = std::move(opened.entry);
  const auto& entry = item.entry;
  const int fd = opened.fd.get();
  read_attributes(item, fd);
  const auto offset = tar_.offset();
  job_.file_added(entry.path);
  auto content = metadata_.sparse && has_holes(fd, entry) ? write_sparse(fd, entry) : write_content(fd, entry);
  check_unchanged(fd, entry, content);
  if (entry.link_count > 1) linked_.try_emplace({entry.device, entry.inode}, Stored{entry.path, content.digest});
  record(entry, content, offset);
}

void EntryWriter::read_attributes(WalkItem& item, int fd) {
  int os_errno = 0;
  item.entry.xattrs = fd >= 0 ? read_xattrs(fd, metadata_, &os_errno)
                              : read_xattrs_at(item.parent->fd(), item.name(), metadata_, &os_errno);
  if (os_errno == 0) return;
  job_.operation_error(BackupSubOperation::unknown_file_operation, BackupOperationError::unknown_os_error,
                       item.entry.path, "extended attributes can't be read: " + errno_text(os_errno));
}

void EntryWriter::write_header(const Entry& entry, std::string_view hard_link_to, std::uint64_t stored_size,
                               bool is_sparse) {
  tar_.add_header({entry, hard_link_to, stored_size, is_sparse, metadata_.nanoseconds});
}

EntryWriter::Content EntryWriter::write_content(int fd, const Entry& entry) {
  Content content;
  write_header(entry, {}, entry.size);
  digest_.reset();
  if (copy(fd, 0, entry.size, entry, content)) content.digest = digest_.value();
  tar_.pad();
  return content;
}

EntryWriter::Content EntryWriter::write_sparse(int fd, const Entry& entry) {
  const auto map = read_sparse_map(fd, entry.size);
  if (map.pieces.empty()) return write_content(fd, entry);
  Content content;
  const auto text = map.text();
  write_header(entry, {}, text.size() + map.data_bytes(), /*is_sparse=*/true);
  tar_.append(std::as_bytes(std::span(text)));
  for (const auto& piece : map.pieces) static_cast<void>(copy(fd, piece.offset, piece.length, entry, content));
  tar_.pad();
  return content;
}

// Exactly `count` bytes go into the archive, whatever the file does meanwhile. False if not all of them are the file's.
bool EntryWriter::copy(int fd, std::uint64_t offset, std::uint64_t count, const Entry& entry, Content& content) {
  while (count > 0) {
    const auto room = tar_.reserve(count);
    const auto got = ::pread(fd, room.data(), room.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got < 0) {
        job_.file_error(BackupSubOperation::read, entry.path, errno);
        content.state = EntryState::failed;
      } else {
        content.state = EntryState::changed;  // it has shrunk: reported by check_unchanged()
      }
      tar_.append_zeros(count);
      return false;
    }
    const auto bytes = static_cast<std::size_t>(got);
    digest_.update(room.first(bytes));
    tar_.commit(bytes);
    job_.content_stored(bytes);
    job_.check_stop();
    offset += bytes;
    count -= bytes;
  }
  return true;
}

void EntryWriter::check_unchanged(int fd, const Entry& entry, Content& content) {
  struct stat now {};
  const bool changed = ::fstat(fd, &now) != 0 || differs(now, entry);
  if (!changed && content.state != EntryState::changed) return;
  job_.operation_error(BackupSubOperation::read, BackupOperationError::file_changed, entry.path);
  if (content.state == EntryState::ok) content.state = EntryState::changed;
}

// Without an offset: the tree has it, no archive does.
void EntryWriter::record(const Entry& entry, const Content& content, std::optional<std::uint64_t> offset) {
  ManifestEntry line;
  line.entry = entry;
  line.state = content.state;
  line.stored_level = offset ? job_.level() : -1;
  line.offset = offset;
  line.digest = content.digest;
  job_.add_to_manifest(line);
  const auto status = content.state == EntryState::ok        ? EntryStatus::added
                      : content.state == EntryState::changed ? EntryStatus::changed_while_read
                                                             : EntryStatus::failed;
  job_.entry_done(entry, status);
}

}  // namespace autoarchive::tar_internal
