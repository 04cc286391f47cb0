/// \file
/// What a plugin (or the program itself) brings in: a component registers the providers of one or more services.
#pragma once

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Implementations are constructed with `(ApplicationContext&, ServiceAccessor&)`, both of which outlive them, and
/// register their providers in the constructor. A constructor that throws has registered nothing (the accessor's
/// staging sees to it). The constructor makes no provider.
class AA_EXPORT IServiceComponent {
 public:
  IServiceComponent() = default;
  IServiceComponent(const IServiceComponent&) = delete;
  IServiceComponent& operator=(const IServiceComponent&) = delete;
  virtual ~IServiceComponent();

  /// Takes back this component's own registrations and no other's. A second call throws Error(key_error).
  virtual void destroy_services() = 0;
};

}  // namespace autoarchive
