#include "job/destination_record.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <span>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::host {
namespace {

// Two lines: the marker, the destination's path.
std::filesystem::path record_file(const std::filesystem::path& state_dir, const std::string& archive) {
  return state_dir / "destinations" / archive;
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

std::string marker_of(const IStorage& storage) {
  constexpr std::size_t kMarkerLength = 36;
  if (!storage.stat(kMarkerName)) return {};
  std::string marker(kMarkerLength, '\0');
  marker.resize(storage.open(kMarkerName)->read_at(0, std::as_writable_bytes(std::span(marker))));
  return marker;
}

std::string other_destination(const std::filesystem::path& state_dir, const std::string& archive,
                              const std::filesystem::path& directory) {
  const auto marker = remembered_marker(state_dir, archive, directory);
  if (!marker || marker_of(LocalStorage(directory)) == *marker) return {};
  return "destination " + quote(directory.native()) +
         " is not the one that the last backup went to: is that not mounted? If this is to be a new one, say aa "
         "create " +
         archive + " --new-destination";
}

void require_same_destination(const std::filesystem::path& state_dir, const std::string& archive,
                              const std::filesystem::path& directory) {
  if (const auto text = other_destination(state_dir, archive, directory); !text.empty())
    throw Error(ErrorCode::os_error, text, ErrorCause::destination);
}

void remember_marker(const std::filesystem::path& state_dir, const std::string& archive,
                     const std::filesystem::path& destination, const std::string& marker) {
  if (remembered_marker(state_dir, archive, destination) == marker) return;
  const auto file = record_file(state_dir, archive);
  if (::mkdir(file.parent_path().c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "state " + quote(file.native()));
  const auto text = marker + "\n" + destination.native();
  write_private_file(file, std::as_bytes(std::span(text)));
}

}  // namespace autoarchive::host
