/// \file
/// The component that a plugin derives from (or uses as it is) to bring in its providers.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/iservice_component.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

/// Registers providers of the archiver service (or of any other) and takes exactly those back. Makes no provider.
///
///     class ZipComponent final : public ArchiverServiceComponent {
///      public:
///       ZipComponent(ApplicationContext& context, ServiceAccessor& accessor) : ArchiverServiceComponent(context,
///       accessor) {
///         add(ArchiverServiceIdentification(), provider_class<ZipArchiver, IArchiver>(), zip_identification());
///       }
///     };
class AA_EXPORT ArchiverServiceComponent : public IServiceComponent {
 public:
  /// Both must outlive the component.
  ArchiverServiceComponent(ApplicationContext& context, ServiceAccessor& accessor);
  ~ArchiverServiceComponent() override;

  /// Last registered, first taken back. A second call throws Error(key_error).
  void destroy_services() override;

 protected:
  /// Registers one provider. Throws what ServiceAccessor::register_service throws.
  template <class ServiceId>
  void add(const ServiceId& service, const ProviderClass& provider, ServiceAccessor::IdentificationPtr identification) {
    add(std::make_shared<const ServiceId>(), service, provider, std::move(identification));
  }
  [[nodiscard]] ApplicationContext& context() const noexcept { return context_; }

 private:
  struct Registered {
    std::shared_ptr<const IServiceIdentification> service;
    ServiceAccessor::IdentificationPtr identification;
  };
  void add(std::shared_ptr<const IServiceIdentification> kept, const IServiceIdentification& service,
           const ProviderClass& provider, ServiceAccessor::IdentificationPtr identification);

  ApplicationContext& context_;
  ServiceAccessor& accessor_;
  std::vector<Registered> registered_;
  bool destroyed_ = false;
};

}  // namespace autoarchive
