#include "config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;

// Line and column of a byte.
Origin place_of(std::string_view text, std::size_t at, const std::string& file) {
  const auto before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n');
  return {file, static_cast<int>(line) + 1, static_cast<int>(at - (before.rfind('\n') + 1)) + 1};
}

/// Of a text that is not UTF-8.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (!is_utf8(text.substr(at, length))) break;
    at += length;
  }
  return at;
}

// In a sticky directory, such as /tmp, others can add names but not replace ours.
bool may_others_change(const struct stat& status) {
  const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  const bool group_writes = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
  return status.st_uid != 0 || (!is_sticky && (group_writes || (status.st_mode & S_IWOTH) != 0));
}

Error foreign(const std::string& path) {
  return {ErrorCode::value_error,
          quote(path) +
              " could have been written by others than root; it could make root run their programs: chown root and "
              "chmod go-w it",
          ErrorCause::configuration};
}

// Whoever can write to a directory above can put another file in its place.
void check_directories(const std::filesystem::path& file) {
  std::error_code error;
  auto directory = std::filesystem::canonical(file, error).parent_path();
  if (error) throw Error::from_errno(error.value(), "configuration " + quote(file.native()), ErrorCause::configuration);
  for (bool is_top = false; !is_top; directory = directory.parent_path()) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0)
      throw Error::from_errno(errno, "directory " + quote(directory.native()), ErrorCause::configuration);
    if (may_others_change(status)) throw foreign(directory.native());
    is_top = !directory.has_relative_path();
  }
}

std::string read_text(int fd, const std::string& file) {
  std::string text(kMaxBytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, "configuration " + quote(file), ErrorCause::configuration);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

Error no_regular_file(const std::string& file) {
  return {ErrorCode::value_error, "configuration " + quote(file) + " is not a regular file", ErrorCause::configuration};
}

}  // namespace

Error config_error(const Origin& origin, const std::string& text) {
  return {ErrorCode::value_error, origin.text() + ": " + text, ErrorCause::configuration};
}

void check_config_text(std::string_view text, const std::string& file) {
  if (text.size() > kMaxBytes) throw config_error({file, 1, 1}, "the file has more than 1 MiB");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F) {
      throw config_error(place_of(text, i, file),
                         "a control character (byte " + std::to_string(byte) + ") is not allowed");
    }
  }
  if (is_utf8(text)) return;
  throw config_error(place_of(text, first_bad_byte(text), file), "this is not UTF-8");
}

std::string read_config_text(const std::filesystem::path& file, bool as_root) {
  const auto& name = file.native();
  struct stat status {};
  // Opening a device may already do something.
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) throw no_regular_file(name);
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd || ::fstat(fd.get(), &status) != 0)
    throw Error::from_errno(errno, "configuration " + quote(name), ErrorCause::configuration);
  if (!S_ISREG(status.st_mode)) throw no_regular_file(name);
  if (as_root && may_others_change(status)) throw foreign(name);
  if (as_root) check_directories(file);
  return read_text(fd.get(), name);
}

}  // namespace autoarchive::host
