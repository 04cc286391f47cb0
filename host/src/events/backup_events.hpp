/// \file
/// The event bus of a backup: one source, any number of subscribers, on the host's side of the plugin boundary.
#pragma once

#include <cstdint>
#include <memory>

#include "autoarchive/archiver/backup_observer.hpp"

namespace autoarchive::host {

/// What a subscriber hears.
enum class Subscription : std::uint8_t {
  everything,
  without_entries,  ///< neither file_add nor entry_done, which come with every entry of the tree
};

/// Passes every call on to its subscribers by Boost.Signals2 (file_add, backup_operation_error, started, progress …).
/// Subscribers are a set: subscribing one twice calls it once, unsubscribing an unknown one does nothing. They are
/// called on the emitting thread in the order of subscription; what one throws passes through, ends the backup and
/// keeps the later ones from being called. (Un)subscribing from inside a call takes effect with the next event at the
/// latest. Slots are made here, so none ever belongs to a plugin. One instance serves one job, on one thread.
class BackupEvents final : public IBackupObserver {
 public:
  BackupEvents();
  ~BackupEvents() override;

  /// `subscriber` must outlive this object or be unsubscribed before it ends.
  void subscribe(IBackupObserver& subscriber, Subscription subscription = Subscription::everything);
  void unsubscribe(IBackupObserver& subscriber);

  void started(const BackupStarted& job) override;
  void file_add(std::string_view name) override;
  void backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                              std::optional<std::string_view> name,
                              std::optional<std::string_view> error_text) override;
  void entry_done(const Entry& entry, EntryStatus status, std::string_view rule) override;
  void notice(std::string_view text) override;
  void progress(const BackupProgress& progress) override;
  void finished(const BackupSummary& summary) override;

 private:
  struct Signals;
  std::unique_ptr<Signals> signals_;
};

}  // namespace autoarchive::host
