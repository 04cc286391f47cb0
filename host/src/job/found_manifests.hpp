/// \file
/// The manifests from which a rescan, and the next backup, take what is left.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"
#include "job/found_backups.hpp"

namespace autoarchive::host {

/// A manifest that was found whole, where it lies.
struct FoundManifest {
  std::unique_ptr<ReadableFile> file;
  std::string name;  ///< in the destination; empty: in the state
  ManifestHeader header;
  ManifestClosing closing;
};

/// Those of a directory and of the state, by the backups that they are of. One that is damaged counts as absent, and
/// may be replaced; one that only can't be read, by this program or at this time, may be whole. Not thread-safe.
class FoundManifests {
 public:
  /// `names` are those of all files in `directory`. Throws Error.
  FoundManifests(const std::filesystem::path& directory, const std::set<std::string>& names,
                 const std::filesystem::path& state_directory);

  /// That of a backup: one for a file of its size before others, then the one that is called `beside`; null if there is
  /// none. If no size fits, it is the archive that has changed: two manifests of one backup are the same, or made
  /// again.
  [[nodiscard]] const FoundManifest* find(const FoundBackup& backup, const std::string& beside) const;
  /// The id of the backup that the manifest of this name is of; empty if there is none.
  [[nodiscard]] std::string backup_of(const std::string& name) const;
  /// Why the manifest of this name can't be read although it may be whole; empty if that is not so.
  [[nodiscard]] std::string unreadable(const std::string& name) const;

 private:
  void add(const std::filesystem::path& path, const std::string& name);

  std::multimap<std::string, FoundManifest> manifests_;  // by backup id
  std::map<std::string, std::string> unreadable_;        // by name: why
};

/// All of it, and finishes the sink. Throws Error.
void copy(const ReadableFile& source, Sink& sink);

}  // namespace autoarchive::host
