/// \file
/// What systemd is told while a service runs, for `systemctl status`: a datagram to the socket that NOTIFY_SOCKET
/// names. The units of `aa schedule` are of the type oneshot: they are ready when they have ended, and only their
/// status is to be told.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_observer.hpp"
#include "events/progress_display.hpp"

namespace autoarchive::host {

/// Sends, and never waits or fails: whether somebody listens does not concern a backup.
class ServiceStatus {
 public:
  /// `socket` as in NOTIFY_SOCKET: a path, or "@" and an abstract name; empty: nobody listens.
  explicit ServiceStatus(std::string socket) : socket_(std::move(socket)) {}
  [[nodiscard]] bool is_heard() const noexcept { return !socket_.empty(); }
  /// One line.
  void tell(std::string_view text) const;

 private:
  std::string socket_;
};

/// Tells how far one job is, at its beginning and every ten seconds.
class ServiceProgress final : public IBackupObserver {
 public:
  using Clock = std::chrono::steady_clock;
  /// `status` must outlive this object.
  ServiceProgress(const ServiceStatus& status, std::string archive);
  void started(const BackupStarted& job) override;
  void progress(const BackupProgress& progress) override;

 private:
  const ServiceStatus& status_;
  std::string archive_;
  Clock::time_point started_;
  Clock::time_point told_;
};

}  // namespace autoarchive::host
