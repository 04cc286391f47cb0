#include "autoarchive/archiver/archiver_service_component.hpp"

#include <string>
#include <utility>

#include "autoarchive/base/error.hpp"

namespace autoarchive {

ArchiverServiceComponent::ArchiverServiceComponent(ApplicationContext& context, ServiceAccessor& accessor)
    : context_(context), accessor_(accessor) {}
ArchiverServiceComponent::~ArchiverServiceComponent() = default;

void ArchiverServiceComponent::add(const IServiceIdentification& service, const ProviderClass& provider,
                                   ServiceAccessor::IdentificationPtr identification) {
  registered_.push_back(accessor_.register_service(service, provider, std::move(identification)));
}

void ArchiverServiceComponent::destroy_services() {
  if (destroyed_) throw Error(ErrorCode::key_error, "destroy_services: the component's services are destroyed already");
  destroyed_ = true;
  std::size_t missing = 0;
  for (; !registered_.empty(); registered_.pop_back()) {
    if (!accessor_.unregister(registered_.back())) ++missing;
  }
  if (missing > 0) {
    throw Error(ErrorCode::key_error, "destroy_services: somebody else has taken back " + std::to_string(missing) +
                                          " of the component's registrations");
  }
}

}  // namespace autoarchive
