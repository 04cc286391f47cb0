/// \file
/// What a conformance test works with: the plugin, loaded; trees; backups; and the way back from them.
#pragma once

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/backup_request.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/archiver/iarchiver.hpp"
#include "autoarchive/kit/conformance.hpp"
#include "autoarchive/plugin/loader.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive::kit {

/// Ends a test. `outcome` is fail, skip or warn.
struct Ended {
  Outcome outcome;
  std::string text;
};
/// Ends the test as a failure unless `good`.
void require(bool good, const std::string& text);
[[noreturn]] void skip(const std::string& text);

/// One archiver of the plugin with one of its types.
struct Target {
  std::shared_ptr<const IArchiverProviderIdentification> identification;
  BackupType type;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool has(const ArchiverFeature& feature) const;
};

/// The plugin in a registry of its own.
struct LoadedPlugin {
  ApplicationContext context{{"conformance", {}, {}}, nullptr, nullptr};
  ServiceAccessor accessor;
  PluginLoader loader{context, accessor};
};

/// What is in a tree: a line a path, with kind, permissions of files, and content or target.
using TreePicture = std::map<std::string, std::string>;
[[nodiscard]] TreePicture picture_of(const std::filesystem::path& root);
/// "a: missing; b: differs", at most a few; empty: equal.
[[nodiscard]] std::string difference(const TreePicture& expected, const TreePicture& found);

/// Used in the test's own process.
class Rig {
 public:
  Rig(const Subject& subject, std::filesystem::path scratch);

  [[nodiscard]] const Subject& subject() const noexcept { return subject_; }
  /// A new directory.
  [[nodiscard]] std::filesystem::path fresh(const std::string& name);
  /// `size` bytes that depend on the seed.
  [[nodiscard]] std::string content(std::size_t size);
  void write(const std::filesystem::path& file, const std::string& bytes) const;

  /// Another registry with the plugin; lives as long as the rig. Ends the test if the plugin is refused.
  LoadedPlugin& load();
  /// Every archiver and type that works here; ends the test as skipped if there is none.
  [[nodiscard]] std::vector<Target> targets();
  /// A new instance.
  [[nodiscard]] std::shared_ptr<IArchiver> archiver(const Target& target);
  [[nodiscard]] BackupRequest request(const Target& target, const std::filesystem::path& root,
                                      const std::filesystem::path& destination) const;
  /// The plugin's or a companion's reader for the file, as a new instance; null: there is none.
  [[nodiscard]] std::shared_ptr<IArchiveReader> reader_for(const std::string& archive);
  /// Restores by such a reader, else by bsdtar. False: nobody here can.
  [[nodiscard]] bool bring_back(const std::string& archive, const std::filesystem::path& to);
  /// Backs `root` up with every target, brings it back and compares. Ends the test if anything differs, or as skipped
  /// if nobody can read it.
  void round_trip(const std::filesystem::path& root, bool allow_empty = false);

 private:
  [[nodiscard]] bool reads_another(const Target& target);

  const Subject& subject_;
  std::filesystem::path scratch_;
  std::list<LoadedPlugin> loaded_;
  std::uint32_t random_;
  int made_ = 0;
};

/// Exit status of a program run by the shell; its output is thrown away unless `output` is given.
[[nodiscard]] int run_program(const std::string& command, std::string* output = nullptr);
[[nodiscard]] std::string shell_quoted(const std::string& text);

}  // namespace autoarchive::kit
