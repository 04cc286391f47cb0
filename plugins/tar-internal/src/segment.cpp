#include "segment.hpp"

#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_internal {

void carry_over(Step& step, const ManifestEntry& parent) {
  auto& outcome = step.outcome;
  outcome.status = EntryStatus::unchanged;
  outcome.in_manifest = true;
  outcome.is_member = false;
  outcome.stored_level = parent.stored_level;
  outcome.offset = parent.offset;
  outcome.digest = parent.digest;
}

void set_failed(Step& step, BackupSubOperation operation, int os_errno) {
  // Our own shortage is no fault of the file.
  if (os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM)
    throw Error::from_errno(os_errno, "reading " + quote(step.item.entry.path));
  auto& outcome = step.outcome;
  outcome.stored_level = -1;
  outcome.offset.reset();
  outcome.digest.reset();
  outcome.content_bytes = 0;
  if (os_errno == EACCES) {
    outcome.problems.push_back({operation, BackupOperationError::permission_denied, {}});
  } else {
    outcome.problems.push_back({operation, BackupOperationError::unknown_os_error, errno_text(os_errno)});
  }
  const bool is_known =
      step.parent && (step.parent->entry.kind == step.item.entry.kind || step.item.entry.kind == EntryKind::unknown);
  if (is_known) {
    step.item.entry = step.parent->entry;
    carry_over(step, *step.parent);
  }
  outcome.in_manifest = true;
  outcome.is_member = false;
  outcome.is_done = true;
  outcome.status = EntryStatus::failed;
  outcome.state = os_errno == ENOENT ? EntryState::vanished : EntryState::failed;
}

void keep_earlier_content(Step& step) {
  step.outcome.status = EntryStatus::failed;
  if (!step.parent || step.parent->entry.kind != EntryKind::file || step.parent->stored_level < 0) return;
  step.item.entry = step.parent->entry;
  step.outcome.stored_level = step.parent->stored_level;
  step.outcome.offset = step.parent->offset;
  step.outcome.digest = step.parent->digest;
}

OpenedEntry open_current(WalkItem& item) {
  constexpr int kMaxTries = 4;
  auto opened = open_entry(item);
  for (int tries = 1; opened.os_errno == ESTALE && tries < kMaxTries; ++tries) {
    const auto now = stat_entry(item);
    if (now.entry.kind != item.entry.kind) break;
    item.entry.device = now.entry.device;
    item.entry.inode = now.entry.inode;
    opened = open_entry(item);
  }
  return opened;
}

void read_attributes(Step& step, int fd, const MetadataOptions& metadata) {
  int os_errno = 0;
  auto& entry = step.item.entry;
  entry.xattrs = fd >= 0 ? read_xattrs(fd, metadata, &os_errno)
                         : read_xattrs_at(step.item.parent->fd(), step.item.name(), metadata, &os_errno);
  if (os_errno == 0) return;
  step.outcome.state = EntryState::failed;
  step.outcome.problems.push_back({BackupSubOperation::unknown_file_operation, BackupOperationError::unknown_os_error,
                                   "extended attributes can't be read: " + errno_text(os_errno)});
}

}  // namespace autoarchive::tar_internal
