#include "job/destination_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

// Two lines: the marker, the destination's path.
std::filesystem::path record_file(const std::filesystem::path& state_dir, const std::string& archive) {
  return state_dir / "destinations" / archive;
}

void write_all(int fd, std::string_view text, const std::string& what) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error::from_errno(errno, what);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::optional<std::string> remembered_marker(const std::filesystem::path& state_dir, const std::string& archive,
                                             const std::filesystem::path& destination) {
  std::ifstream in(record_file(state_dir, archive), std::ios::binary);
  std::string marker;
  std::string path;
  if (!std::getline(in, marker) || !std::getline(in, path, '\0') || path != destination.native()) return std::nullopt;
  return marker;
}

void remember_marker(const std::filesystem::path& state_dir, const std::string& archive,
                     const std::filesystem::path& destination, const std::string& marker) {
  if (remembered_marker(state_dir, archive, destination) == marker) return;
  const auto file = record_file(state_dir, archive);
  const auto temporary = file.native() + "._partial";
  const auto what = "state " + quote(file.native());
  if (::mkdir(file.parent_path().c_str(), 0700) != 0 && errno != EEXIST) throw Error::from_errno(errno, what);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw Error::from_errno(errno, what);
  write_all(fd.get(), marker + "\n" + destination.native(), what);
  if (::fsync(fd.get()) != 0) throw Error::from_errno(errno, what);
  fd.close(what.c_str());
  if (std::rename(temporary.c_str(), file.c_str()) != 0) throw Error::from_errno(errno, what);
}

}  // namespace autoarchive::host
