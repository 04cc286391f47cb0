/// \file
/// The plugins of this run and the providers that they have brought in.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
#include "provider_health.hpp"

namespace autoarchive::host {

/// Where plugins may be, apart from the configuration.
struct PluginSearch {
  std::vector<PluginDirectory> first;    ///< --plugin-dir, then AA_PLUGIN_PATH
  std::filesystem::path user_directory;  ///< empty: none
  std::filesystem::path installed_directory;
  bool safe_mode = false;
};

/// Takes a report that says something to the user: not usable, or a developer's override. Once a report and state.
using TakeReport = std::function<void(const PluginReport&)>;

/// Who reads a file, and what it is.
struct RecognisedFile {
  std::shared_ptr<IArchiveReader> reader;
  std::string format;  ///< the type's extension, e.g. "tar.gz"
};

/// Looks at the plugins once, loads those that are needed, and makes providers when they are asked for. Not
/// thread-safe.
class Providers {
 public:
  /// `config` must outlive this object. Loads nothing.
  Providers(const Config& config, const PluginSearch& search, AppEnvironment environment, TakeReport tell);
  ~Providers();
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;

  /// Options against what the plugins declare, and that everything required is there (which loads it). Throws
  /// Error(value_error, cause configuration) with a line a fault, or (key_error, cause unavailable).
  void check_settings();
  void load_all();

  [[nodiscard]] const std::vector<PluginReport>& reports() const noexcept;
  /// One per archiver that makes `type` (empty: any), with the user's denials not yet applied. One whose plugin was
  /// refused is not available, and the reason says what to do.
  [[nodiscard]] std::vector<RouteCandidate> candidates(std::string_view type = {});
  [[nodiscard]] RoutePolicy policy() const;
  /// Every type that some archiver declares, sorted, and the well-known ones. Loads nothing.
  [[nodiscard]] std::vector<BackupType> types() const;
  /// The type with this extension. Throws Error(value_error, cause unsupported) that lists what there is and the
  /// nearest.
  [[nodiscard]] BackupType type(const std::string& extension) const;
  /// Why there can't be a provider with this feature: what there is, and the nearest; empty: it is a well-known one, or
  /// a plugin declares it. Loads nothing.
  [[nodiscard]] std::string fault_of_feature(const std::string& name) const;

  /// Throws Error(key_error, cause unavailable) if there is no such archiver. Makes config.state_dir if it is missing
  /// (it is the providers' work_dir), or throws Error(os_error). What it throws that is no Error comes out as one, as
  /// from the reader below.
  [[nodiscard]] std::shared_ptr<IArchiver> archiver(std::string_view provider_id);
  /// The first reader that is not faulty and knows a file that begins like this one, or if nobody does, files of such a
  /// name: its beginning may be damaged. Throws Error(value_error): cause unsupported if there is none, unavailable if
  /// one has failed.
  [[nodiscard]] std::shared_ptr<IArchiveReader> reader_for(const ReadableFile& file);
  /// The same with the format that the file has; none if no plugin reads it. Throws only if one has failed.
  [[nodiscard]] std::optional<RecognisedFile> recognise(const ReadableFile& file);

 private:
  [[nodiscard]] std::optional<RecognisedFile> recognise(const std::string& name_of_file, ByteView head);
  void load(const ProviderQuery& wanted);
  void tell_news();
  [[nodiscard]] bool is_denied(std::string_view provider_id) const;
  [[nodiscard]] bool has_reader(const BackupType& type) const;
  [[nodiscard]] const ProviderDeclaration& declaration_of(const std::string& archiver) const;
  [[nodiscard]] RouteCandidate candidate_of(const IArchiverProviderIdentification& identification);
  [[nodiscard]] const PluginReport* find_refused(const ProviderQuery& wanted) const;
  /// What the host gives to a provider's constructor: no fault here is the provider's.
  [[nodiscard]] ProviderArguments arguments(std::string_view provider_id) const;

  const Config& config_;
  TakeReport tell_;
  ApplicationContext context_;
  ServiceAccessor accessor_;
  PluginLoader loader_;
  std::vector<PluginState> told_;  // by report
  ProviderHealth health_;
};

/// "plugin '/opt/zip.so' was refused: AA-P103 …; fix: chmod go-w '/opt'", with all its faults.
[[nodiscard]] std::string refusal_text(const PluginReport& report);

}  // namespace autoarchive::host
