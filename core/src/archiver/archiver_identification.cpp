#include "autoarchive/archiver/archiver_identification.hpp"

#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {

IArchiverProviderIdentification::~IArchiverProviderIdentification() = default;

Availability IArchiverProviderIdentification::availability() const {
  return {};
}
int IArchiverProviderIdentification::rank() const noexcept {
  return 0;
}

TarArchiverProviderIdentification::TarArchiverProviderIdentification(std::string provider_id, FeaturesByType features,
                                                                     int rank)
    : provider_id_(std::move(provider_id)), features_(std::move(features)), rank_(rank) {}
TarArchiverProviderIdentification::~TarArchiverProviderIdentification() = default;

std::string_view TarArchiverProviderIdentification::provider_id() const noexcept {
  return provider_id_;
}
int TarArchiverProviderIdentification::rank() const noexcept {
  return rank_;
}

std::set<BackupType> TarArchiverProviderIdentification::supported_backup_types() const {
  std::set<BackupType> types;
  for (const auto& [type, features] : features_) types.insert(type);
  return types;
}

std::set<ArchiverFeature> TarArchiverProviderIdentification::supported_features(
    const std::optional<BackupType>& type) const {
  if (type) {
    const auto found = features_.find(*type);
    if (found != features_.end()) return found->second;
    throw Error(ErrorCode::value_error,
                "provider " + provider_id_ + " does not support the type " + quote(type->extension),
                ErrorCause::unsupported);
  }
  std::set<ArchiverFeature> all;
  for (const auto& [known, features] : features_) all.insert(features.begin(), features.end());
  return all;
}

std::string_view ArchiverServiceIdentification::name() const noexcept {
  return "archiver";
}
std::type_index ArchiverServiceIdentification::interface() const noexcept {
  return typeid(IArchiver);
}
std::type_index ArchiverServiceIdentification::provider_identification_interface() const noexcept {
  return typeid(IArchiverProviderIdentification);
}
bool ArchiverServiceIdentification::accepts(const IProviderIdentification& identification) const noexcept {
  return dynamic_cast<const IArchiverProviderIdentification*>(&identification) != nullptr;
}

}  // namespace autoarchive
