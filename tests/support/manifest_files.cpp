#include "support/manifest_files.hpp"

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive::test {

std::map<std::string, ManifestEntry> read_manifest(const std::filesystem::path& file) {
  std::map<std::string, ManifestEntry> entries;
  ManifestReader reader(open_local_file(file));
  for (ManifestEntry entry; reader.next(entry);) entries.emplace(entry.entry.path, entry);
  return entries;
}

void settle_manifest(const std::filesystem::path& file) {
  const std::filesystem::path temporary = file.native() + ".settled";
  ManifestReader reader(open_local_file(file));
  const auto sink = create_state_file(temporary);
  ManifestWriter writer(*sink, reader.header());
  for (ManifestEntry entry; reader.next(entry);) {
    if (entry.state == EntryState::racy) entry.state = EntryState::ok;
    writer.add(entry);
  }
  static_cast<void>(writer.finish(reader.closing()));
  sink->finish();
  std::filesystem::rename(temporary, file);
}

}  // namespace autoarchive::test
