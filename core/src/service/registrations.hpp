/// \file
/// What is registered, as a value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

struct Registration {
  ServiceAccessor::RegistrationId id{};
  ProviderClass provider;
  ServiceAccessor::IdentificationPtr identification;
};

/// What the providers of a service and their identifications are.
struct ServiceKind {
  std::type_index interface;
  std::type_index identification_interface;
  bool operator==(const ServiceKind&) const = default;
};

/// A service as its identification, which is a plugin's code, says it once.
struct NamedService {
  std::string name;
  ServiceKind kind;
  explicit NamedService(const IServiceIdentification& service);
};

/// Whether two identifications, of which each may be null, mean the same provider.
[[nodiscard]] bool same_provider(const IProviderIdentification* a, const IProviderIdentification* b);
/// For messages, e.g. "tar-internal", "(none)".
[[nodiscard]] std::string id_of(const IProviderIdentification* identification);
/// Throws Error(type_error) if the class or the identification is not for this service.
void check_kind(const IServiceIdentification& service, const ProviderClass& provider,
                const IProviderIdentification* identification);

/// Services by name, and of each the providers in the order of their registration; a service goes with its last one. A
/// copy is independent. Its calls ask identifications, and so run a plugin's code.
class Registrations {
 public:
  /// Throws Error(type_error, key_error) if it can't stand beside what there is: see register_service().
  void check_new(const NamedService& service, const Registration& added) const;
  /// REQUIRES: check_new() has passed.
  void add(const NamedService& service, const Registration& added);
  /// The same for all of another value; throws before anything is added.
  void add_all(const Registrations& added);

  using Wanted = std::function<bool(std::string_view service, const ServiceKind&, const Registration&)>;
  /// Takes the first one out that is wanted.
  std::optional<Registration> take(const Wanted& wanted);
  /// Takes a whole service out; empty: there is none. Throws type_error if it is of another kind.
  std::vector<Registration> take_all(const NamedService& service);

  /// The providers of a service. Throws key_error, or type_error if it is of another kind.
  [[nodiscard]] const std::vector<Registration>& of(const NamedService& service) const;
  /// One of them. Throws key_error if there is no such provider.
  [[nodiscard]] const Registration& find(const NamedService& service,
                                         const IProviderIdentification* identification) const;
  [[nodiscard]] bool has(const std::string& service, ServiceAccessor::RegistrationId id) const;
  [[nodiscard]] bool has(std::string_view service, const ServiceKind& kind) const noexcept;
  /// (service name, provider id) of each.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> names() const;

 private:
  struct Service {
    ServiceKind kind;
    std::vector<Registration> providers;
  };
  void check_new(std::string_view name, const ServiceKind& kind, const Registration& added) const;
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace autoarchive
