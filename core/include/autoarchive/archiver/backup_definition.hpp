/// \file
/// What to back up and where to, and the words in which a backup tells what happened.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

inline constexpr int kMinCompressionStrength = 0;
inline constexpr int kMaxCompressionStrength = 9;

/// All that is needed to create a backup. A plain record: nothing is checked before it is used; an empty string means
/// "not set".
struct BackupDefinition {
  std::string backup_id;  ///< the archive's name, e.g. "home"
  std::optional<BackupType> backup_type;
  std::string destination;                             ///< directory that gets the backup, e.g. "/mnt/backup"
  std::string root;                                    ///< root directory of the source, e.g. "/home"
  std::optional<std::set<std::string>> include_files;  ///< relative to root, e.g. {"alice"}; {"."} is everything
  std::set<std::string> exclude_files;                 ///< literal paths relative to root
};

/// What was being done when something went wrong. The numbers are the seed's.
enum class BackupSubOperation : std::uint8_t {
  unknown = 0,
  unknown_file_operation = 1,
  stat = 2,
  open = 3,
  read = 4,
  finish = 5,
};

/// What went wrong with one file. The numbers are the seed's.
enum class BackupOperationError : std::uint8_t {
  unknown_error = 0,
  unknown_os_error = 1,
  permission_denied = 2,
  socket_ignored = 3,
  unknown_type_ignored = 4,
  file_changed = 5,
  some_files_changed = 6,
  directory_renamed = 7,
};

/// The seed's printed forms, e.g. "UnknownFileOperation", "PermissionDenied".
[[nodiscard]] AA_EXPORT std::string_view to_string(BackupSubOperation operation) noexcept;
[[nodiscard]] AA_EXPORT std::string_view to_string(BackupOperationError error) noexcept;

}  // namespace autoarchive
