#include "support/recording_observer.hpp"

namespace autoarchive::test {

void RecordingObserver::started(const BackupStarted& job) {
  lines_.push_back("started " + job.archive + " " + std::to_string(job.level));
}
void RecordingObserver::file_add(std::string_view name) {
  lines_.push_back("add " + std::string(name));
}
void RecordingObserver::backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                                               std::optional<std::string_view> name,
                                               std::optional<std::string_view> error_text) {
  std::string line = "error " + std::string(to_string(operation)) + "/" + std::string(to_string(error));
  if (name) line += " " + std::string(*name);
  if (error_text) line += ": " + std::string(*error_text);
  lines_.push_back(line);
}
void RecordingObserver::notice(std::string_view text) {
  lines_.push_back("notice " + std::string(text));
}
void RecordingObserver::finished(const BackupSummary& /*summary*/) {
  lines_.emplace_back("finished");
}

std::vector<std::string> RecordingObserver::errors() const {
  std::vector<std::string> errors;
  std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(errors),
               [](const auto& line) { return line.starts_with("error "); });
  return errors;
}

}  // namespace autoarchive::test
