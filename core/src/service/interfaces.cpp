// Out-of-line parts of the service interfaces: each vtable lives here, once.
#include "autoarchive/service/iservice.hpp"
#include "autoarchive/service/iservice_component.hpp"
#include "autoarchive/service/iservice_identification.hpp"

namespace autoarchive {

IService::~IService() = default;
IServiceComponent::~IServiceComponent() = default;
IServiceIdentification::~IServiceIdentification() = default;
IProviderIdentification::~IProviderIdentification() = default;

bool IProviderIdentification::equals(const IProviderIdentification& other) const noexcept {
  return provider_id() == other.provider_id();
}

}  // namespace autoarchive
