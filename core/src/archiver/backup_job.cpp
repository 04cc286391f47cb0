#include "autoarchive/archiver/backup_job.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "autoarchive/archiver/archive_comment.hpp"
#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "backup_job_parts.hpp"

namespace autoarchive {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

// Within this time a file system may give two changes the same time stamp, or a clock be a little off.
constexpr std::chrono::seconds kRacyWindow{60};

std::string parent_file_name(const BackupJob::Parts& parts) {
  if (!parts.request.parent_manifest.empty()) return parts.request.parent_manifest;
  const auto& definition = parts.request.definition;
  return manifest_name(BackupName{definition.backup_id, *definition.backup_type, parts.level - 1, {}}.file_name());
}

/// The file, if it is the parent's manifest to the last byte; else null, and why in `fault`.
std::unique_ptr<ManifestReader> open_parent(const BackupJob::Parts& parts, std::unique_ptr<ReadableFile> file,
                                            std::string& fault) {
  try {
    ManifestReader::check(*file);
    const auto description = file->description();
    auto reader = std::make_unique<ManifestReader>(std::move(file));
    if (reader->header().backup_uuid == parts.identity.parent_uuid) return reader;
    fault += "; manifest " + quote(description) + " is that of another backup";
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && !error.is_os_error()) throw;
    fault += "; " + error.message();
  }
  return nullptr;
}

// A clock that was set back in the middle of the run must not make entries look older than they are.
bool is_racy(BackupJob::Parts& parts, const Timestamp& ctime) {
  parts.earliest_clock = std::min(parts.earliest_clock, std::chrono::system_clock::now());
  const auto limit = std::chrono::floor<std::chrono::seconds>(parts.earliest_clock - kRacyWindow);
  return ctime.seconds >= limit.time_since_epoch().count();
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
  const auto& identity = parts_.identity;
  return to_comment({parts_.request.definition.backup_id, parts_.level, identity.backup_uuid, identity.chain_uuid,
                     identity.parent_uuid, parts_.provider, parts_.started, parts_.request.definition.root});
}

WalkOptions BackupJob::walk_options() const {
  WalkOptions options;
  options.root = parts_.root;
  options.includes = *parts_.request.definition.include_files;
  options.with_ancestors = parts_.incremental;
  for (const auto& file : parts_.transaction.own_files()) options.own_files.insert(file);
  struct stat status {};
  if (::stat(parts_.snapshots_dir.parent_path().c_str(), &status) == 0)
    options.own_files.emplace(status.st_dev, status.st_ino);
  return options;
}

std::unique_ptr<Walker> BackupJob::walk() const {
  return std::make_unique<Walker>(walk_options(), parts_.filter);
}

std::unique_ptr<TreeComparison> BackupJob::compare_with_parent() const {
  auto options = walk_options();
  options.with_stats = false;  // the comparison makes them, on the thread that has time
  return std::make_unique<TreeComparison>(std::make_unique<Walker>(std::move(options), parts_.filter),
                                          parent_manifest());
}

void BackupJob::add_to_manifest(ManifestEntry& entry) {
  ++parts_.summary.entries;
  if (entry.state == EntryState::ok && is_racy(parts_, entry.entry.ctime)) entry.state = EntryState::racy;
  if (parts_.manifest) parts_.manifest->add(entry);
}

void BackupJob::add_block(ArchiveBlock block) {
  parts_.closing.blocks.push_back(block);
}

std::unique_ptr<ManifestReader> BackupJob::parent_manifest() const {
  if (parts_.level == 0) return nullptr;
  std::string fault;
  if (!parts_.parent_state.empty()) {
    const auto own = (parts_.snapshots_dir / parts_.parent_state).native();
    std::error_code error;
    if (std::filesystem::exists(own, error)) {
      if (auto reader = open_parent(parts_, open_local_file(own), fault)) return reader;
    }
  }
  const auto name = parent_file_name(parts_);
  if (parts_.storage.stat(name)) {
    if (auto reader = open_parent(parts_, parts_.storage.open(name), fault)) return reader;
  }
  throw Error(ErrorCode::file_not_found,
              "the manifest of level " + std::to_string(parts_.level - 1) + ", " + quote(name) + ", is lost" + fault +
                  "; make a level 0",
              ErrorCause::state_lost);
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
  if (status == EntryStatus::deleted) add_removed(parts_.closing, entry.path);
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
