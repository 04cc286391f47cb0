/// \file
/// What GNU tar says on standard error, as events. The rules are tried in order; the first that fits decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_definition.hpp"

namespace autoarchive::tar_external {

enum class MessageKind : std::uint8_t {
  ignored,
  event,         ///< operation, error, and what belongs to them
  no_space,      ///< ends the backup
  incompatible,  ///< ends the backup: this tar does not know an option
  aborted,       ///< ends the backup
};

/// One line, understood. Views into the line.
struct TarMessage {
  MessageKind kind = MessageKind::ignored;
  BackupSubOperation operation = BackupSubOperation::unknown;
  BackupOperationError error = BackupOperationError::unknown_error;
  std::optional<std::string_view> name;
  std::optional<std::string_view> text;
};

/// `line` as tar prints it, without its end. Pure.
[[nodiscard]] TarMessage parse_tar_message(std::string_view line);

/// A name of the index as bytes: tar writes control characters, backslashes and everything that is not ASCII as
/// escapes.
[[nodiscard]] std::string unescape_name(std::string_view name);

}  // namespace autoarchive::tar_external
