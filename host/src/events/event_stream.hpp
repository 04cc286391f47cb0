/// \file
/// `--events`: what happens, as JSON lines for another program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "output/json.hpp"

namespace autoarchive::host {

/// Version of the events' schema; members are only ever added within one.
inline constexpr int kEventSchema = 1;

/// A file or descriptor that gets one JSON object a line, "hello" first. Not thread-safe.
class EventStream {
 public:
  /// `target` is a file name or "fd:N"; empty: nobody listens. Throws Error (usage) if it can't be opened.
  explicit EventStream(const std::string& target);
  /// Adds "event" and "time" before the object's members. A reader that has gone away is not an error of the backup:
  /// the stream falls silent.
  void emit(std::string_view event, Json::Object object = {});
  /// Whether anybody listens.
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }

 private:
  UniqueFd fd_;
};

/// Writes one job's events to a stream.
class JobEvents final : public IBackupObserver {
 public:
  JobEvents(EventStream& stream, std::string archive);
  void started(const BackupStarted& job) override;
  void file_add(std::string_view name) override;
  void backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                              std::optional<std::string_view> name,
                              std::optional<std::string_view> error_text) override;
  void notice(std::string_view text) override;
  void progress(const BackupProgress& progress) override;
  void finished(const BackupSummary& summary) override;

 private:
  void emit(std::string_view event, Json::Object members);

  EventStream& stream_;
  std::string archive_;
};

}  // namespace autoarchive::host
