/// \file
/// The component that a plugin derives from (or uses as it is) to bring in its providers.
#pragma once

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

  /// Last registered, first taken back. Throws Error(key_error) at a second call, and if somebody else has taken one of
  /// them back already; the others are gone all the same.
  void destroy_services() override;

 protected:
  /// Registers one provider. Throws what ServiceAccessor::register_service throws.
  void add(const IServiceIdentification& service, const ProviderClass& provider,
           ServiceAccessor::IdentificationPtr identification);
  [[nodiscard]] ApplicationContext& context() const noexcept { return context_; }

 private:
  ApplicationContext& context_;
  ServiceAccessor& accessor_;
  std::vector<ServiceAccessor::RegistrationId> registered_;
  bool destroyed_ = false;
};

}  // namespace autoarchive
