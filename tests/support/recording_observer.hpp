/// \file
/// An observer that writes down what it is told.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_observer.hpp"

namespace autoarchive::test {

/// One line a call, in order: "started home 0", "add a/b", "error Open/SocketIgnored s", "notice …", "finished".
class RecordingObserver final : public IBackupObserver {
 public:
  void started(const BackupStarted& job) override;
  void file_add(std::string_view name) override;
  void backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                              std::optional<std::string_view> name,
                              std::optional<std::string_view> error_text) override;
  void notice(std::string_view text) override;
  void finished(const BackupSummary& summary) override;

  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
  [[nodiscard]] bool has(const std::string& line) const {
    return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  }
  [[nodiscard]] std::vector<std::string> errors() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace autoarchive::test
