#include "autoarchive/archiver/backup_job.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "backup_job_parts.hpp"

namespace autoarchive {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

std::string parent_file_name(const BackupJob::Parts& parts) {
  if (!parts.request.parent_manifest.empty()) return parts.request.parent_manifest;
  const auto& definition = parts.request.definition;
  return manifest_name(BackupName{definition.backup_id, *definition.backup_type, parts.level - 1, {}}.file_name());
}

}  // namespace

const BackupRequest& BackupJob::request() const noexcept {
  return parts_.request;
}
const BackupIdentity& BackupJob::identity() const noexcept {
  return parts_.identity;
}
int BackupJob::level() const noexcept {
  return parts_.level;
}
bool BackupJob::incremental() const noexcept {
  return parts_.incremental;
}
const std::filesystem::path& BackupJob::root() const noexcept {
  return parts_.root;
}
Sink& BackupJob::archive() noexcept {
  return *parts_.archive;
}

std::string BackupJob::archive_comment() const {
  std::string text = "autoarchive archive=" + parts_.request.definition.backup_id +
                     " level=" + std::to_string(parts_.level) + " backup=" + parts_.identity.backup_uuid +
                     " chain=" + parts_.identity.chain_uuid;
  if (!parts_.identity.parent_uuid.empty()) text += " parent=" + parts_.identity.parent_uuid;
  return text;
}

std::unique_ptr<Walker> BackupJob::walk() const {
  WalkOptions options;
  options.root = parts_.root;
  options.includes = *parts_.request.definition.include_files;
  options.with_ancestors = parts_.incremental;
  for (const auto& file : parts_.transaction.own_files()) options.own_files.insert(file);
  struct stat status {};
  if (::stat(parts_.snapshots_dir.parent_path().c_str(), &status) == 0)
    options.own_files.emplace(status.st_dev, status.st_ino);
  return std::make_unique<Walker>(std::move(options), parts_.filter);
}

void BackupJob::add_to_manifest(const ManifestEntry& entry) {
  ++parts_.summary.entries;
  if (parts_.manifest) parts_.manifest->add(entry);
}

void BackupJob::add_block(ArchiveBlock block) {
  parts_.blocks.push_back(block);
}

std::unique_ptr<ManifestReader> BackupJob::parent_manifest() const {
  if (parts_.level == 0) return nullptr;
  const auto name = parent_file_name(parts_);
  if (!parts_.storage.stat(name)) return nullptr;
  return std::make_unique<ManifestReader>(parts_.storage.open(name));
}

std::filesystem::path BackupJob::put_state(std::string_view name) {
  return parts_.transaction.put_state(parts_.snapshots_dir / name);
}

void BackupJob::file_added(std::string_view name) {
  ++parts_.summary.stored_entries;
  ++parts_.progress.entries;
  if (parts_.request.observer != nullptr) parts_.request.observer->file_add(name);
  content_stored(0);
}

void BackupJob::operation_error(BackupSubOperation operation, BackupOperationError error,
                                std::optional<std::string_view> name, std::optional<std::string_view> error_text) {
  if (error == BackupOperationError::some_files_changed) {  // told once, at the end
    parts_.some_files_changed = true;
    return;
  }
  ++parts_.summary.operation_errors;
  if (error == BackupOperationError::file_changed) parts_.some_files_changed = true;
  if (parts_.request.observer != nullptr)
    parts_.request.observer->backup_operation_error(operation, error, name, error_text);
}

void BackupJob::file_error(BackupSubOperation operation, std::string_view name, int os_errno) {
  if (os_errno == EACCES) return operation_error(operation, BackupOperationError::permission_denied, name);
  operation_error(operation, BackupOperationError::unknown_os_error, name, errno_text(os_errno));
}

void BackupJob::walk_problem(const WalkItem& item) {
  switch (item.event) {
    case WalkEvent::stat_failed:
      return file_error(BackupSubOperation::stat, item.entry.path, item.os_errno);
    case WalkEvent::list_failed:
      return file_error(BackupSubOperation::open, item.entry.path, item.os_errno);
    case WalkEvent::socket:
      return operation_error(BackupSubOperation::open, BackupOperationError::socket_ignored, item.entry.path);
    case WalkEvent::unknown_type:
      return operation_error(BackupSubOperation::open, BackupOperationError::unknown_type_ignored, item.entry.path);
    case WalkEvent::entry:
    case WalkEvent::excluded:
      return;
  }
}

void BackupJob::entry_done(const Entry& entry, EntryStatus status, std::string_view rule) {
  if (parts_.request.observer != nullptr) parts_.request.observer->entry_done(entry, status, rule);
}

void BackupJob::content_stored(std::uint64_t bytes) {
  parts_.summary.content_bytes += bytes;
  parts_.progress.content_bytes += bytes;
  if (parts_.request.observer == nullptr) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - parts_.last_progress < kProgressInterval) return;
  parts_.last_progress = now;
  parts_.progress.archive_bytes = parts_.archive->count();
  parts_.request.observer->progress(parts_.progress);
}

void BackupJob::notice(std::string_view text) {
  if (parts_.request.observer != nullptr) parts_.request.observer->notice(text);
}

void BackupJob::check_stop() const {
  if (parts_.request.stop.stop_requested()) {
    throw Error(ErrorCode::runtime_error, "stopped on request; nothing was committed", ErrorCause::cancelled);
  }
}

}  // namespace autoarchive
