/// \file
/// The registry of services and the cache of their providers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/service/iservice.hpp"
#include "autoarchive/service/iservice_identification.hpp"

namespace autoarchive {

/// What a provider's constructor is given.
struct ProviderArguments {
  /// An existing writable directory: the provider's persistent storage.
  std::filesystem::path work_dir;
  /// The provider's own options, checked by it, e.g. {"tar", "/usr/bin/tar"}.
  std::map<std::string, std::string> options;
};

/// A class of providers: how to make one, and which interface it is for. A cheap value; make it with provider_class().
struct ProviderClass {
  using Create = std::unique_ptr<IService> (*)(const ProviderArguments&);
  /// The class itself: the key of the instance cache. Compared by address, as two plugins may each have a class of this
  /// name.
  const std::type_info* type = &typeid(void);
  std::type_index interface = typeid(void);  ///< the interface that it was declared for
  Create create = nullptr;
};

/// `Provider` derives from `Interface` (checked when compiled) and is made with `Provider(const ProviderArguments&)`.
template <class Provider, class Interface>
[[nodiscard]] ProviderClass provider_class() {
  static_assert(std::is_base_of_v<IService, Interface> && std::is_base_of_v<Interface, Provider>);
  return {&typeid(Provider), typeid(Interface), [](const ProviderArguments& arguments) -> std::unique_ptr<IService> {
            return std::make_unique<Provider>(arguments);
          }};
}

/// Services by identification; per service the providers in the order of their registration; one instance per provider
/// class. Thread-safe; no lock is held while code of providers or identifications runs, so that all of it may call
/// back. What get_or_create() returns is a lease: the provider lives for as long as somebody holds it, registered or
/// not.
class AA_EXPORT ServiceAccessor {
 public:
  using IdentificationPtr = std::shared_ptr<const IProviderIdentification>;
  /// Names one registration, for as long as the accessor lives: no other ever gets the same.
  enum class RegistrationId : std::uint64_t {};

  ServiceAccessor();
  ServiceAccessor(const ServiceAccessor&) = delete;
  ServiceAccessor& operator=(const ServiceAccessor&) = delete;
  ~ServiceAccessor();

  /// Registers a provider; null is "no identification" and counts as a value. Throws, in this order: type_error if the
  /// class is not for the service's interface, type_error if the identification is not of the service's kind,
  /// type_error if a service of this name has other interfaces (so does each call below that is given a service),
  /// key_error if the same identification, key_error if the same class is registered for this service already.
  RegistrationId register_service(const IServiceIdentification& service, const ProviderClass& provider,
                                  IdentificationPtr identification = nullptr);
  /// Takes the whole service back, with all providers and cached instances (their users keep theirs alive). Throws
  /// key_error if it is unknown.
  void unregister_service(const IServiceIdentification& service);
  /// Takes one provider back, whoever has registered it; the service goes with its last one. Throws key_error if either
  /// is unknown.
  void unregister_provider(const IServiceIdentification& service, const IProviderIdentification* identification);
  /// Takes back what one register_service() has registered, and nothing that has the same identification since. False
  /// if it was taken back already.
  [[nodiscard]] bool unregister(RegistrationId id);

  /// The one instance of the provider's class, made at the first call; later calls ignore `arguments`. Null asks for
  /// the provider without identification. Throws key_error if service or provider is unknown; what the constructor
  /// throws passes through and nothing is cached. Two threads that ask at once get the same object.
  [[nodiscard]] std::shared_ptr<IService> get_or_create(const IServiceIdentification& service,
                                                        const IProviderIdentification* identification,
                                                        const ProviderArguments& arguments);
  /// The same with the service's interface as type. `ServiceId` has a member type `Interface`.
  template <class ServiceId>
  [[nodiscard]] std::shared_ptr<typename ServiceId::Interface> get_or_create(
      const ServiceId& service, const IProviderIdentification* identification, const ProviderArguments& arguments) {
    auto provider = get_or_create(static_cast<const IServiceIdentification&>(service), identification, arguments);
    return std::dynamic_pointer_cast<typename ServiceId::Interface>(std::move(provider));
  }

  /// In the order of registration (null entries included). Throws key_error if the service is unknown.
  [[nodiscard]] std::vector<IdentificationPtr> providers_identifications(const IServiceIdentification& service) const;
  /// Whether the service, with the same interfaces, has a provider.
  [[nodiscard]] bool is_registered(const IServiceIdentification& service) const noexcept;

  /// Collects the calling thread's registrations and makes them visible together: all or none. While a Staging lives,
  /// register_service() from the same thread goes into it, with all its checks, and what the same thread takes back is
  /// taken out of it first. Destroyed without commit() it leaves nothing behind.
  class AA_EXPORT Staging {
   public:
    explicit Staging(ServiceAccessor& accessor);
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    ~Staging();
    /// Throws key_error or type_error, and registers nothing, if one of them has become a duplicate, or its service
    /// another one, meanwhile.
    void commit();
    /// What is staged, as (service name, provider id).
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> staged() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
    friend class ServiceAccessor;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
