/// \file
/// What GNU tar says on standard error, as events. The rules are tried in order; the first that fits decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/manifest/entry.hpp"

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

/// What a message says about how an entry got into the archive.
struct EntryTrouble {
  std::string_view name;  ///< as tar prints it, a view into the line
  /// changed: it is stored, and has to be read again; failed: it is not, or not all of it; vanished.
  EntryState state = EntryState::ok;
};

/// None if the line says nothing of that kind. Names can't forge it, because tar escapes their colons. Pure.
[[nodiscard]] std::optional<EntryTrouble> parse_entry_trouble(std::string_view line);

/// A name of the index or a message as bytes: tar writes control characters, backslashes, in messages colons, and
/// everything that is not ASCII as escapes.
[[nodiscard]] std::string unescape_name(std::string_view name);

}  // namespace autoarchive::tar_external
