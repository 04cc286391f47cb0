#include "job/archive_files.hpp"

#include <array>
#include <string_view>

namespace autoarchive::host {
namespace {

constexpr std::size_t kSha256Digits = 64;

// The digest at the beginning of sha256sum's line; empty if it is not one.
std::string read_sha256(const IStorage& storage, const std::string& name) {
  std::array<std::byte, kSha256Digits> head{};
  const auto file = storage.open(name);
  if (file->read_at(0, head) < head.size()) return {};
  const std::string digest(reinterpret_cast<const char*>(head.data()), head.size());
  return digest.find_first_not_of("0123456789abcdef") == std::string::npos ? digest : std::string();
}

}  // namespace

std::vector<KeptFile> kept_files(const IStorage& storage, const BackupCatalog& catalog) {
  std::vector<KeptFile> files;
  for (const auto& entry : catalog.entries()) {
    KeptFile file{entry.name, false, false, {}};
    const auto name = entry.name.file_name();
    file.has_manifest = storage.stat(manifest_name(name)).has_value();
    file.has_sha256 = storage.stat(sha256_name(name)).has_value();
    if (entry.closing) {
      file.sha256 = entry.closing->archive_sha256;
    } else if (file.has_sha256) {
      file.sha256 = read_sha256(storage, sha256_name(name));
    }
    files.push_back(std::move(file));
  }
  return files;
}

const CatalogEntry* current_level(const BackupCatalog& catalog, int level) {
  for (const auto& entry : catalog.entries()) {
    if (entry.name.keeping_id.empty() && entry.name.level.value_or(0) == level) return &entry;
  }
  return nullptr;
}

}  // namespace autoarchive::host
