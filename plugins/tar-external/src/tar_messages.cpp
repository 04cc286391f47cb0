#include "tar_messages.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace autoarchive::tar_external {
namespace {

constexpr std::string_view kPermissionDenied = "Permission denied";

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

std::size_t find_ignoring_case(std::string_view text, std::string_view part) {
  const auto found = std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter);
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

bool ends_with_ignoring_case(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && find_ignoring_case(text.substr(text.size() - part.size()), part) == 0;
}

TarMessage event(BackupSubOperation operation, BackupOperationError error, std::optional<std::string_view> name = {},
                 std::optional<std::string_view> text = {}) {
  return {MessageKind::event, operation, error, name, text};
}

/// "X: Cannot stat: R" and "X: Cannot open: R".
std::optional<TarMessage> system_error(std::string_view line, std::string_view words, BackupSubOperation operation) {
  const auto at = find_ignoring_case(line, words);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const auto name = line.substr(0, at);
  const auto reason = line.substr(at + words.size());
  if (find_ignoring_case(reason, kPermissionDenied) == 0)
    return event(operation, BackupOperationError::permission_denied, name);
  return event(operation, BackupOperationError::unknown_os_error, name, reason);
}

bool is_ignored(std::string_view line) {
  return line.empty() || line == "Exiting with failure status due to previous errors" ||
         ends_with_ignoring_case(line, ": Directory is new");
}

std::optional<TarMessage> known_ending(std::string_view line) {
  struct Ending {
    std::string_view words;
    BackupSubOperation operation;
    BackupOperationError error;
  };
  constexpr std::array kEndings{
      Ending{": socket ignored", BackupSubOperation::open, BackupOperationError::socket_ignored},
      Ending{": file changed as we read it", BackupSubOperation::read, BackupOperationError::file_changed}};
  for (const auto& ending : kEndings) {
    if (ends_with_ignoring_case(line, ending.words)) {
      return event(ending.operation, ending.error, line.substr(0, line.size() - ending.words.size()));
    }
  }
  const auto renamed = find_ignoring_case(line, ": Directory has been renamed");
  if (renamed == std::string_view::npos) return std::nullopt;
  return event(BackupSubOperation::read, BackupOperationError::directory_renamed, line.substr(0, renamed));
}

// The first ": " that is not escaped.
std::size_t end_of_name(std::string_view line) {
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == ':' && line[i + 1] == ' ') {
      return i;
    }
  }
  return std::string_view::npos;
}

// "tar: …", or with the path under which it was started.
std::string_view without_program(std::string_view line) {
  const auto prefix = line.find("tar: ");
  if (prefix == 0 || (prefix != std::string_view::npos && line[prefix - 1] == '/')) line.remove_prefix(prefix + 5);
  return line;
}

}  // namespace

TarMessage parse_tar_message(std::string_view line) {
  line = without_program(line);
  if (is_ignored(line)) return {};
  if (const auto found = system_error(line, ": Cannot stat: ", BackupSubOperation::stat)) return *found;
  if (const auto found = system_error(line, ": Cannot open: ", BackupSubOperation::open)) return *found;
  if (const auto found = known_ending(line)) return *found;
  if (ends_with_ignoring_case(line, "No space left on device")) return {MessageKind::no_space, {}, {}, {}, line};
  if (find_ignoring_case(line, "unrecognized option") != std::string_view::npos ||
      (find_ignoring_case(line, "Try '") == 0 && find_ignoring_case(line, "--help") != std::string_view::npos)) {
    return {MessageKind::incompatible, {}, {}, {}, line};
  }
  if (find_ignoring_case(line, "Error is not recoverable: exiting now") == 0)
    return {MessageKind::aborted, {}, {}, {}, line};
  const auto last = line.rfind(": ");
  if (last == std::string_view::npos || last == 0) {
    return event(BackupSubOperation::unknown, BackupOperationError::unknown_error, {}, line);
  }
  return event(BackupSubOperation::unknown_file_operation, BackupOperationError::unknown_error, line.substr(0, last),
               line.substr(last + 2));
}

std::optional<EntryTrouble> parse_entry_trouble(std::string_view line) {
  line = without_program(line);
  const auto colon = end_of_name(line);
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto name = line.substr(0, colon);
  const auto text = line.substr(colon + 2);
  struct Beginning {
    std::string_view words;
    EntryState state;
  };
  constexpr std::array kBeginnings{
      Beginning{"file changed as we read it", EntryState::changed},
      Beginning{"File shrank by", EntryState::changed},
      Beginning{"Warning: ", EntryState::changed},  // e.g. attributes that can't be read
      Beginning{"Directory has been renamed", EntryState::changed},
      Beginning{"File removed before we read it", EntryState::vanished},
      Beginning{"Read error at", EntryState::failed},
      Beginning{"Cannot ", EntryState::failed},
  };
  for (const auto& beginning : kBeginnings) {
    if (!text.starts_with(beginning.words)) continue;
    const bool is_gone = beginning.state == EntryState::failed && text.ends_with(": No such file or directory");
    return EntryTrouble{name, is_gone ? EntryState::vanished : beginning.state};
  }
  return std::nullopt;
}

std::string unescape_name(std::string_view name) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\' || i + 1 == name.size()) {
      out += name[i];
      continue;
    }
    const char next = name[++i];
    if (next >= '0' && next <= '7' && i + 2 < name.size()) {
      out += static_cast<char>((next - '0') * 64 + (name[i + 1] - '0') * 8 + (name[i + 2] - '0'));
      i += 2;
    } else {
      const auto letter = kLetters.find(next);
      out += letter == std::string_view::npos ? next : kMeanings[letter];
    }
  }
  return out;
}

}  // namespace autoarchive::tar_external
