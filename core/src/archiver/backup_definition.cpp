#include "autoarchive/archiver/backup_definition.hpp"

#include <algorithm>

namespace autoarchive {

std::optional<BackupType> well_known_backup_type(std::string_view word) {
  const auto& types = backup_type::kWellKnown;
  const auto found = std::find_if(types.begin(), types.end(),
                                  [&](const auto& type) { return type.extension == word || type.name == word; });
  return found == types.end() ? std::nullopt : std::optional(*found);
}

std::string_view to_string(BackupSubOperation operation) noexcept {
  switch (operation) {
    case BackupSubOperation::unknown:
      return "Unknown";
    case BackupSubOperation::unknown_file_operation:
      return "UnknownFileOperation";
    case BackupSubOperation::stat:
      return "Stat";
    case BackupSubOperation::open:
      return "Open";
    case BackupSubOperation::read:
      return "Read";
    case BackupSubOperation::finish:
      return "Finish";
  }
  return "Unknown";
}

std::string_view to_string(BackupOperationError error) noexcept {
  switch (error) {
    case BackupOperationError::unknown_error:
      return "UnknownError";
    case BackupOperationError::unknown_os_error:
      return "UnknownOsError";
    case BackupOperationError::permission_denied:
      return "PermissionDenied";
    case BackupOperationError::socket_ignored:
      return "SocketIgnored";
    case BackupOperationError::unknown_type_ignored:
      return "UnknownTypeIgnored";
    case BackupOperationError::file_changed:
      return "FileChanged";
    case BackupOperationError::some_files_changed:
      return "SomeFilesChanged";
    case BackupOperationError::directory_renamed:
      return "DirectoryRenamed";
  }
  return "UnknownError";
}

}  // namespace autoarchive
