#include "autoarchive/archiver/archiver_service_component.hpp"

#include "autoarchive/base/error.hpp"

namespace autoarchive {

ArchiverServiceComponent::ArchiverServiceComponent(ApplicationContext& context, ServiceAccessor& accessor)
    : context_(context), accessor_(accessor) {}
ArchiverServiceComponent::~ArchiverServiceComponent() = default;

void ArchiverServiceComponent::add(std::shared_ptr<const IServiceIdentification> kept,
                                   const IServiceIdentification& service, const ProviderClass& provider,
                                   ServiceAccessor::IdentificationPtr identification) {
  accessor_.register_service(service, provider, identification);
  registered_.push_back({std::move(kept), std::move(identification)});
}

void ArchiverServiceComponent::destroy_services() {
  if (destroyed_) throw Error(ErrorCode::key_error, "destroy_services: the component's services are destroyed already");
  destroyed_ = true;
  while (!registered_.empty()) {
    const auto last = std::move(registered_.back());
    registered_.pop_back();
    accessor_.unregister_provider(*last.service, last.identification.get());
  }
}

}  // namespace autoarchive
