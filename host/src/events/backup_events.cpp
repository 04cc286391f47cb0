#include "events/backup_events.hpp"

#include <boost/signals2/dummy_mutex.hpp>
#include <boost/signals2/signal.hpp>
#include <boost/signals2/signal_type.hpp>
#include <map>
#include <vector>

namespace autoarchive::host {

namespace signals = boost::signals2;

namespace {

// Without locks: all is done on the job's thread.
template <class Signature>
using Signal = typename signals::signal_type<Signature, signals::keywords::mutex_type<signals::dummy_mutex>>::type;

}  // namespace

struct BackupEvents::Signals {
  Signal<void(const BackupStarted&)> started;
  Signal<void(std::string_view)> file_add;
  Signal<void(BackupSubOperation, BackupOperationError, std::optional<std::string_view>,
              std::optional<std::string_view>)>
      backup_operation_error;
  Signal<void(const Entry&, EntryStatus, std::string_view)> entry_done;
  Signal<void(std::string_view)> notice;
  Signal<void(const BackupProgress&)> progress;
  Signal<void(const BackupSummary&)> finished;
  std::map<IBackupObserver*, std::vector<signals::scoped_connection>> connections;
};

BackupEvents::BackupEvents() : signals_(std::make_unique<Signals>()) {}
BackupEvents::~BackupEvents() = default;

void BackupEvents::subscribe(IBackupObserver& subscriber, Subscription subscription) {
  auto [place, is_new] = signals_->connections.try_emplace(&subscriber);
  if (!is_new) return;
  IBackupObserver* const to = &subscriber;
  auto& connections = place->second;
  connections.emplace_back(signals_->started.connect([to](const BackupStarted& job) { to->started(job); }));
  connections.emplace_back(
      signals_->backup_operation_error.connect([to](auto operation, auto error, auto name, auto text) {
        to->backup_operation_error(operation, error, name, text);
      }));
  connections.emplace_back(signals_->notice.connect([to](std::string_view text) { to->notice(text); }));
  connections.emplace_back(signals_->progress.connect([to](const BackupProgress& now) { to->progress(now); }));
  connections.emplace_back(signals_->finished.connect([to](const BackupSummary& summary) { to->finished(summary); }));
  if (subscription == Subscription::without_entries) return;
  connections.emplace_back(signals_->file_add.connect([to](std::string_view name) { to->file_add(name); }));
  connections.emplace_back(signals_->entry_done.connect(
      [to](const Entry& entry, EntryStatus status, std::string_view rule) { to->entry_done(entry, status, rule); }));
}

void BackupEvents::unsubscribe(IBackupObserver& subscriber) {
  signals_->connections.erase(&subscriber);
}

void BackupEvents::started(const BackupStarted& job) {
  signals_->started(job);
}
void BackupEvents::file_add(std::string_view name) {
  signals_->file_add(name);
}
void BackupEvents::backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                                          std::optional<std::string_view> name,
                                          std::optional<std::string_view> error_text) {
  signals_->backup_operation_error(operation, error, name, error_text);
}
void BackupEvents::entry_done(const Entry& entry, EntryStatus status, std::string_view rule) {
  signals_->entry_done(entry, status, rule);
}
void BackupEvents::notice(std::string_view text) {
  signals_->notice(text);
}
void BackupEvents::progress(const BackupProgress& progress) {
  signals_->progress(progress);
}
void BackupEvents::finished(const BackupSummary& summary) {
  signals_->finished(summary);
}

}  // namespace autoarchive::host
