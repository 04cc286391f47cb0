#include "autoarchive/archiver/backup_name.hpp"

#include <algorithm>
#include <charconv>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kMaxArchiveNameBytes = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_name_character(char c) {
  return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

std::optional<int> parse_level(std::string_view text) {
  if (text.empty() || text.size() > 6 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  if (text.front() == '0') return std::nullopt;  // level 0 has no number
  int level = 0;
  std::from_chars(text.data(), text.data() + text.size(), level);
  return level;
}

/// Takes ".TOKEN" off the front of `rest` if the token is accepted.
template <class Accept>
auto take_token(std::string_view& rest, const Accept& accept) -> decltype(accept(rest)) {
  if (!rest.starts_with('.')) return {};
  const auto token = rest.substr(1, rest.find('.', 1) - 1);
  auto accepted = accept(token);
  if (accepted) rest.remove_prefix(token.size() + 1);
  return accepted;
}

Error bad_name(std::string_view archive, const char* why) {
  return {ErrorCode::value_error, "archive name " + quote(archive) + " " + why, ErrorCause::usage};
}

}  // namespace

std::string BackupName::file_name() const {
  std::string name = archive;
  if (level.value_or(0) != 0) name += "." + std::to_string(*level);
  if (!keeping_id.empty()) name += "." + keeping_id;
  return name + "." + type.extension;
}

std::string BackupName::path(std::string_view destination) const {
  if (destination.empty()) return file_name();
  std::string path(destination);
  if (!path.ends_with('/')) path += '/';
  return path + file_name();
}

std::optional<BackupName> parse_backup_name(std::string_view file_name, std::string_view archive,
                                            std::span<const BackupType> types) {
  if (!file_name.starts_with(archive)) return std::nullopt;
  auto rest = file_name.substr(archive.size());
  const auto is_extension = [&] {
    return std::any_of(types.begin(), types.end(), [&](const auto& type) { return rest.substr(1) == type.extension; });
  };
  BackupName name{std::string(archive), {}, 0, {}};
  if (!rest.starts_with('.')) return std::nullopt;
  if (!is_extension()) {
    if (const auto level = take_token(rest, parse_level)) name.level = level;
    const auto generation = take_token(rest, [](std::string_view token) { return generation_of(token); });
    if (generation) name.keeping_id = keeping_id_of(*generation);
  }
  for (const auto& type : types) {
    if (!rest.starts_with('.') || rest.substr(1) != type.extension) continue;
    name.type = type;
    return name;
  }
  return std::nullopt;
}

void check_archive_name(std::string_view archive) {
  if (archive.empty()) throw bad_name(archive, "is empty");
  if (archive.size() > kMaxArchiveNameBytes) throw bad_name(archive, "has more than 200 bytes");
  if (archive.front() == '-' || archive.front() == '.') throw bad_name(archive, "begins with '-' or '.'");
  if (!std::all_of(archive.begin(), archive.end(), is_name_character)) {
    throw bad_name(archive, "has other characters than letters, digits, '_', '-' and '.'");
  }
  const auto dot = archive.rfind('.');
  if (dot == std::string_view::npos) return;
  const auto last = archive.substr(dot + 1);
  if (last == "held") throw bad_name(archive, "ends in '.held', which names a backup that is held back");
  if (!last.empty() && std::all_of(last.begin(), last.end(), is_digit)) {
    throw bad_name(archive, "ends in a dot and digits, which would read as a level");
  }
  if (generation_of(last))
    throw bad_name(archive, "ends in a dot and two lower-case letters, which would read as a generation");
}

void check_keeping_id(std::string_view keeping_id) {
  if (keeping_id.empty())
    throw Error(ErrorCode::value_error, "the new keeping id is empty; give one, e.g. 'aa'", ErrorCause::usage);
  if (keeping_id.find('/') != std::string_view::npos || keeping_id.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::value_error,
                "keeping id " + quote(keeping_id) + " would leave the destination; give one like 'aa'",
                ErrorCause::usage);
  }
}

std::string keeping_id_of(int generation) {
  return {static_cast<char>('a' + generation / 26), static_cast<char>('a' + generation % 26)};
}

std::optional<int> generation_of(std::string_view keeping_id) {
  if (keeping_id.size() != 2 || !is_lower(keeping_id[0]) || !is_lower(keeping_id[1])) return std::nullopt;
  return (keeping_id[0] - 'a') * 26 + (keeping_id[1] - 'a');
}

std::string manifest_name(std::string_view file_name) {
  return std::string(file_name) + ".manifest.zst";
}
std::string sha256_name(std::string_view file_name) {
  return std::string(file_name) + ".sha256";
}

}  // namespace autoarchive
