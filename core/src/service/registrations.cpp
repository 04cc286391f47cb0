#include "registrations.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

/// As it stands in the source, e.g. "autoarchive::IArchiver".
std::string name_of(std::type_index type) {
  const std::unique_ptr<char, void (*)(void*)> readable(abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr),
                                                        &std::free);
  return readable == nullptr ? type.name() : readable.get();
}

std::string text_of(const ServiceKind& kind) {
  auto interface = name_of(kind.interface);
  if (kind.identification_interface == typeid(void)) return interface;
  return interface + " identified by " + name_of(kind.identification_interface);
}

/// Two services of one name would get at each other's providers, and take them for what they are not.
void check_same_kind(std::string_view name, const ServiceKind& known, const ServiceKind& given) {
  if (known == given) return;
  throw Error(ErrorCode::type_error, "service " + quote(name) + " is " + text_of(known) + ", not " + text_of(given) +
                                         "; another service needs another name");
}

}  // namespace

NamedService::NamedService(const IServiceIdentification& service)
    : name(service.name()), kind{service.interface(), service.provider_identification_interface()} {}

bool same_provider(const IProviderIdentification* a, const IProviderIdentification* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->equals(*b);
}

std::string id_of(const IProviderIdentification* identification) {
  return identification == nullptr ? std::string("(none)") : std::string(identification->provider_id());
}

void check_kind(const IServiceIdentification& service, const ProviderClass& provider,
                const IProviderIdentification* identification) {
  if (provider.interface != service.interface()) {
    throw Error(ErrorCode::type_error, "service " + quote(service.name()) + ": the provider class is for " +
                                           name_of(provider.interface) + ", not for " + name_of(service.interface()));
  }
  if (identification != nullptr && !service.accepts(*identification)) {
    throw Error(ErrorCode::type_error, "service " + quote(service.name()) + ": the identification of provider " +
                                           quote(identification->provider_id()) + " is not of the service's kind");
  }
}

void Registrations::check_new(const NamedService& service, const Registration& added) const {
  check_new(service.name, service.kind, added);
}

void Registrations::check_new(std::string_view name, const ServiceKind& kind, const Registration& added) const {
  const auto found = services_.find(name);
  if (found == services_.end()) return;
  check_same_kind(name, found->second.kind, kind);
  const auto& registered = found->second.providers;
  for (const auto& known : registered) {
    if (same_provider(known.identification.get(), added.identification.get())) {
      throw Error(ErrorCode::key_error, "service " + quote(name) + " has a provider " +
                                            quote(id_of(added.identification.get())) + " already");
    }
  }
  for (const auto& known : registered) {
    if (known.provider.type == added.provider.type) {
      throw Error(ErrorCode::key_error, "service " + quote(name) + " has this provider class already, as " +
                                            quote(id_of(known.identification.get())));
    }
  }
}

void Registrations::add(const NamedService& service, const Registration& added) {
  services_.try_emplace(service.name, Service{service.kind, {}}).first->second.providers.push_back(added);
}

void Registrations::add_all(const Registrations& added) {
  for (const auto& [name, service] : added.services_) {
    for (const auto& registration : service.providers) check_new(name, service.kind, registration);
  }
  for (const auto& [name, service] : added.services_) {
    auto& providers = services_.try_emplace(name, Service{service.kind, {}}).first->second.providers;
    providers.insert(providers.end(), service.providers.begin(), service.providers.end());
  }
}

std::optional<Registration> Registrations::take(const Wanted& wanted) {
  for (auto service = services_.begin(); service != services_.end(); ++service) {
    auto& [kind, providers] = service->second;
    const auto found = std::find_if(providers.begin(), providers.end(), [&, &of_kind = kind](const auto& registration) {
      return wanted(service->first, of_kind, registration);
    });
    if (found == providers.end()) continue;
    auto taken = std::move(*found);
    providers.erase(found);
    if (providers.empty()) services_.erase(service);
    return taken;
  }
  return std::nullopt;
}

std::vector<Registration> Registrations::take_all(const NamedService& service) {
  const auto found = services_.find(service.name);
  if (found == services_.end()) return {};
  check_same_kind(service.name, found->second.kind, service.kind);
  return std::move(services_.extract(found).mapped().providers);
}

const std::vector<Registration>& Registrations::of(const NamedService& service) const {
  const auto found = services_.find(service.name);
  if (found == services_.end()) {
    throw Error(ErrorCode::key_error,
                "service " + quote(service.name) + " is not registered; no plugin has brought in a provider for it");
  }
  check_same_kind(service.name, found->second.kind, service.kind);
  return found->second.providers;
}

const Registration& Registrations::find(const NamedService& service,
                                        const IProviderIdentification* identification) const {
  for (const auto& registration : of(service)) {
    if (same_provider(registration.identification.get(), identification)) return registration;
  }
  throw Error(ErrorCode::key_error,
              "service " + quote(service.name) + " has no provider " + quote(id_of(identification)));
}

bool Registrations::has(const std::string& service, ServiceAccessor::RegistrationId id) const {
  const auto found = services_.find(service);
  return found != services_.end() && std::any_of(found->second.providers.begin(), found->second.providers.end(),
                                                 [&](const auto& registration) { return registration.id == id; });
}

bool Registrations::has(std::string_view service, const ServiceKind& kind) const noexcept {
  const auto found = services_.find(service);
  return found != services_.end() && found->second.kind == kind;
}

std::vector<std::pair<std::string, std::string>> Registrations::names() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, service] : services_) {
    for (const auto& registration : service.providers)
      names.emplace_back(name, id_of(registration.identification.get()));
  }
  return names;
}

}  // namespace autoarchive
