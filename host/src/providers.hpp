/// \file
/// The plugins of this run and the providers that they have brought in.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/archiver/router.hpp"
#include "autoarchive/plugin/loader.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/service_accessor.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

/// Where plugins may be, apart from the configuration.
struct PluginSearch {
  std::vector<PluginDirectory> first;  ///< --plugin-dir, then AA_PLUGIN_PATH
  std::filesystem::path installed_directory;
  bool safe_mode = false;
};

/// Loads the plugins once, and makes providers when they are asked for. Not thread-safe.
class Providers {
 public:
  /// `config` must outlive this object. Makes config.state_dir if it is missing (it is the providers' work_dir).
  Providers(const Config& config, const PluginSearch& search, AppEnvironment environment);
  ~Providers();
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;

  [[nodiscard]] const std::vector<PluginReport>& reports() const noexcept;
  /// One per archiver, with the user's denials not yet applied.
  [[nodiscard]] std::vector<RouteCandidate> candidates() const;
  [[nodiscard]] RoutePolicy policy() const;
  /// Every type that some archiver has, sorted, and the well-known ones.
  [[nodiscard]] std::vector<BackupType> types() const;
  /// The type with this extension. Throws Error(value_error, cause unsupported) that lists what there is and the
  /// nearest.
  [[nodiscard]] BackupType type(const std::string& extension) const;

  /// Throws Error(key_error, cause unavailable) if there is no such archiver.
  [[nodiscard]] std::shared_ptr<IArchiver> archiver(std::string_view provider_id);
  /// The reader for a file that begins like this. Throws Error(value_error, cause unsupported) naming `what`.
  [[nodiscard]] std::shared_ptr<IArchiveReader> reader_for(const ReadableFile& file);

 private:
  [[nodiscard]] ProviderArguments arguments(std::string_view provider_id) const;

  const Config& config_;
  ApplicationContext context_;
  ServiceAccessor accessor_;
  PluginLoader loader_;
};

}  // namespace autoarchive::host
