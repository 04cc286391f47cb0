#include "job/found_manifests.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::host {
namespace {

bool is_manifest(const std::string& name) {
  return name.ends_with(manifest_name(""));
}

// The header first: a newer version may have another end.
FoundManifest read_manifest(const std::string& path) {
  FoundManifest manifest{open_local_file(path), {}, {}, {}};
  ManifestReader reader(open_local_file(path));
  ManifestReader::check(*manifest.file);
  manifest.closing = reader.closing();
  manifest.header = reader.header();
  return manifest;
}

}  // namespace

FoundManifests::FoundManifests(const std::filesystem::path& directory, const std::set<std::string>& names,
                               const std::filesystem::path& state_directory) {
  for (const auto& name : names) {
    if (is_manifest(name)) add(directory / name, name);
  }
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(state_directory / "snapshots", error)) {
    if (is_manifest(file.path().native())) add(file.path(), "");
  }
}

void FoundManifests::add(const std::filesystem::path& path, const std::string& name) {
  try {
    auto manifest = read_manifest(path.native());
    manifest.name = name;
    auto id = manifest.header.backup_uuid;
    manifests_.emplace(std::move(id), std::move(manifest));
  } catch (const Error& error) {
    if (error.cause() == ErrorCause::damaged) return;
    if (error.cause() != ErrorCause::unsupported && !error.is_os_error()) throw;
    unreadable_.emplace(name, error.message());
  }
}

const FoundManifest* FoundManifests::find(const FoundBackup& backup, const std::string& beside) const {
  const auto rank = [&](const FoundManifest& manifest) {
    return std::pair(manifest.closing.archive_bytes == backup.bytes, manifest.name == beside);
  };
  const auto [begin, end] = manifests_.equal_range(backup.identity.backup_uuid);
  const FoundManifest* best = nullptr;
  for (auto manifest = begin; manifest != end; ++manifest) {
    if (best == nullptr || rank(manifest->second) > rank(*best)) best = &manifest->second;
  }
  return best;
}

std::string FoundManifests::backup_of(const std::string& name) const {
  for (const auto& [id, manifest] : manifests_) {
    if (manifest.name == name) return id;
  }
  return {};
}

std::string FoundManifests::unreadable(const std::string& name) const {
  const auto found = unreadable_.find(name);
  return found == unreadable_.end() ? std::string() : found->second;
}

void copy(const ReadableFile& source, Sink& sink) {
  std::vector<std::byte> buffer(1U << 18U);
  for (std::uint64_t offset = 0; offset < source.size();) {
    const auto got = source.read_at(offset, buffer);
    if (got == 0) throw Error(ErrorCode::os_error, quote(source.description()) + " has become shorter");
    sink.write(ByteView(buffer).first(got));
    offset += got;
  }
  sink.finish();
}

}  // namespace autoarchive::host
