/// \file
/// How the archiver service and its providers are identified, and what a provider says of itself before it is made.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "autoarchive/archiver/archiver_feature.hpp"
#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/archiver/iarchiver.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/service/iservice_identification.hpp"

namespace autoarchive {

/// Whether a provider can work on this machine, now.
struct Availability {
  bool available = true;
  std::string reason;  ///< why not, and what to do, e.g. "GNU tar not found in /usr/bin:/bin; install the package tar"
};

/// Tells what an archiver can do without making it: no work_dir, no external program started. Thread-safe.
class AA_EXPORT IArchiverProviderIdentification : public IProviderIdentification {
 public:
  ~IArchiverProviderIdentification() override;

  [[nodiscard]] virtual std::set<BackupType> supported_backup_types() const = 0;
  /// All features, or those for one type. Throws Error(value_error, cause unsupported) for a foreign type. For every
  /// type a subset of the set for none.
  [[nodiscard]] virtual std::set<ArchiverFeature> supported_features(
      const std::optional<BackupType>& type = {}) const = 0;
  /// Looks at the machine (programs, libraries), cheaply.
  [[nodiscard]] virtual Availability availability() const;
  /// Preference among providers that can all do a job: higher first, before the user's priorities. 0 is the default.
  [[nodiscard]] virtual int rank() const noexcept;
};

/// Types, each with its features, as a table: enough for every provider that knows them in advance.
class AA_EXPORT TarArchiverProviderIdentification : public IArchiverProviderIdentification {
 public:
  using FeaturesByType = std::map<BackupType, std::set<ArchiverFeature>>;
  TarArchiverProviderIdentification(std::string provider_id, FeaturesByType features, int rank = 0);
  ~TarArchiverProviderIdentification() override;

  [[nodiscard]] std::string_view provider_id() const noexcept override;
  [[nodiscard]] std::set<BackupType> supported_backup_types() const override;
  [[nodiscard]] std::set<ArchiverFeature> supported_features(const std::optional<BackupType>& type) const override;
  [[nodiscard]] int rank() const noexcept override;

 private:
  std::string provider_id_;
  FeaturesByType features_;
  int rank_;
};

/// The archiver service. Its providers are made with a ProviderArguments::work_dir that exists and is writable.
class AA_EXPORT ArchiverServiceIdentification final : public IServiceIdentification {
 public:
  using Interface = IArchiver;
  [[nodiscard]] std::string_view name() const noexcept override;
  [[nodiscard]] std::type_index interface() const noexcept override;
  [[nodiscard]] std::type_index provider_identification_interface() const noexcept override;
  [[nodiscard]] bool accepts(const IProviderIdentification& identification) const noexcept override;
};

/// The ids of the two providers that ship.
namespace archiver_provider_id {
inline constexpr std::string_view kTarInternal = "tar-internal";
inline constexpr std::string_view kTarExternal = "tar-external";
}  // namespace archiver_provider_id

}  // namespace autoarchive
