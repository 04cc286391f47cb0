#include "autoarchive/service/service_accessor.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

using IdentificationPtr = ServiceAccessor::IdentificationPtr;
using RegistrationId = ServiceAccessor::RegistrationId;

struct Registration {
  RegistrationId id{};
  ProviderClass provider;
  IdentificationPtr identification;
};

/// What the providers of a service and their identifications are.
struct ServiceKind {
  std::type_index interface;
  std::type_index identification_interface;
  bool operator==(const ServiceKind&) const = default;
};

struct Service {
  ServiceKind kind;
  std::vector<Registration> providers;
};

using Services = std::map<std::string, Service, std::less<>>;

ServiceKind kind_of(const IServiceIdentification& service) {
  return {service.interface(), service.provider_identification_interface()};
}

bool same(const IProviderIdentification* a, const IProviderIdentification* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->equals(*b);
}

std::string id_of(const IProviderIdentification* identification) {
  return identification == nullptr ? std::string("(none)") : std::string(identification->provider_id());
}

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

Error unknown_service(std::string_view name) {
  return {ErrorCode::key_error,
          "service " + quote(name) + " is not registered; no plugin has brought in a provider for it"};
}

Error unknown_provider(std::string_view service, const IProviderIdentification* identification) {
  return {ErrorCode::key_error, "service " + quote(service) + " has no provider " + quote(id_of(identification))};
}

/// Two services of one name would get at each other's providers, and take them for what they are not.
void check_same_kind(std::string_view name, const ServiceKind& known, const ServiceKind& given) {
  if (known == given) return;
  throw Error(ErrorCode::type_error, "service " + quote(name) + " is " + text_of(known) + ", not " + text_of(given) +
                                         "; another service needs another name");
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

void check_new(std::string_view service, const Services& services, const ServiceKind& kind, const Registration& added) {
  const auto found = services.find(service);
  if (found == services.end()) return;
  check_same_kind(service, found->second.kind, kind);
  const auto& registered = found->second.providers;
  for (const auto& known : registered) {
    if (same(known.identification.get(), added.identification.get())) {
      throw Error(ErrorCode::key_error, "service " + quote(service) + " has a provider " +
                                            quote(id_of(added.identification.get())) + " already");
    }
  }
  for (const auto& known : registered) {
    if (known.provider.type == added.provider.type) {
      throw Error(ErrorCode::key_error, "service " + quote(service) + " has this provider class already, as " +
                                            quote(id_of(known.identification.get())));
    }
  }
}

/// Takes the first registration out that is wanted, and its service with the last one.
template <class Wanted>
std::optional<Registration> take(Services& services, const Wanted& wanted) {
  for (auto service = services.begin(); service != services.end(); ++service) {
    auto& providers = service->second.providers;
    const auto found = std::find_if(providers.begin(), providers.end(),
                                    [&](const auto& registration) { return wanted(*service, registration); });
    if (found == providers.end()) continue;
    auto taken = std::move(*found);
    providers.erase(found);
    if (providers.empty()) services.erase(service);
    return taken;
  }
  return std::nullopt;
}

/// Takes the whole service out; empty if there is none.
Services::node_type take(Services& services, const IServiceIdentification& service) {
  const auto found = services.find(service.name());
  if (found == services.end()) return {};
  check_same_kind(service.name(), found->second.kind, kind_of(service));
  return services.extract(found);
}

}  // namespace

struct ServiceAccessor::Staging::State {
  ServiceAccessor& accessor;
  std::thread::id thread = std::this_thread::get_id();
  Services staged;
};

struct ServiceAccessor::State {
  using Class = const std::type_info*;
  struct Making {
    std::thread::id thread;
    bool taken_back = false;  // meanwhile: what comes out is not cached
  };

  // Kept by the caller until the lock is gone: the destructors of both are a plugin's code.
  struct TakenBack {
    std::optional<Registration> registration;
    std::shared_ptr<IService> instance;
  };

  // Guards everything below. Never held while a provider's constructor or destructor runs.
  mutable std::mutex mutex;
  Services services;
  std::uint64_t last_id = 0;
  std::map<Class, std::shared_ptr<IService>> instances;
  std::map<Class, Making> being_made;
  std::map<std::thread::id, Class> waiting;  // who waits for what to be made
  std::condition_variable made;
  std::vector<Staging::State*> stagings;

  [[nodiscard]] std::vector<Registration>& registered(const IServiceIdentification& service) {
    const auto found = services.find(service.name());
    if (found == services.end()) throw unknown_service(service.name());
    check_same_kind(service.name(), found->second.kind, kind_of(service));
    return found->second.providers;
  }
  [[nodiscard]] const Registration& registered(const IServiceIdentification& service,
                                               const IProviderIdentification* identification) {
    for (const auto& registration : registered(service)) {
      if (same(registration.identification.get(), identification)) return registration;
    }
    throw unknown_provider(service.name(), identification);
  }
  [[nodiscard]] Staging::State* staging_of_this_thread() const {
    for (auto* staging : stagings) {
      if (staging->thread == std::this_thread::get_id()) return staging;
    }
    return nullptr;
  }
  // Returned, so that the caller destroys it after the lock is gone.
  [[nodiscard]] std::shared_ptr<IService> drop_instance(Class type) {
    if (const auto making = being_made.find(type); making != being_made.end()) making->second.taken_back = true;
    const auto found = instances.find(type);
    if (found == instances.end()) return nullptr;
    auto instance = std::move(found->second);
    instances.erase(found);
    return instance;
  }
  // Of what is wanted, this thread's staged registrations come first: they are the newer ones.
  template <class Wanted>
  [[nodiscard]] TakenBack take_back(const Wanted& wanted) {
    TakenBack taken;
    if (auto* staging = staging_of_this_thread()) taken.registration = take(staging->staged, wanted);
    if (taken.registration) return taken;
    taken.registration = take(services, wanted);
    if (taken.registration) taken.instance = drop_instance(taken.registration->provider.type);
    return taken;
  }
  // Whether the one who makes it waits, over any number of others, for this very thread.
  [[nodiscard]] bool waits_for_this_thread(Class type) const {
    for (auto making = being_made.find(type); making != being_made.end(); making = being_made.find(type)) {
      if (making->second.thread == std::this_thread::get_id()) return true;
      const auto next = waiting.find(making->second.thread);
      if (next == waiting.end()) return false;
      type = next->second;
    }
    return false;
  }
  void wait_until_made(std::unique_lock<std::mutex>& lock, Class type) {
    waiting[std::this_thread::get_id()] = type;
    made.wait(lock, [&] { return !being_made.contains(type); });
    waiting.erase(std::this_thread::get_id());
  }
  [[nodiscard]] std::shared_ptr<IService> make(std::unique_lock<std::mutex>& lock, const ProviderClass& provider,
                                               const ProviderArguments& arguments);
};

std::shared_ptr<IService> ServiceAccessor::State::make(std::unique_lock<std::mutex>& lock,
                                                       const ProviderClass& provider,
                                                       const ProviderArguments& arguments) {
  being_made[provider.type] = {std::this_thread::get_id()};
  lock.unlock();
  std::shared_ptr<IService> instance;
  std::exception_ptr failure;
  try {
    instance = provider.create(arguments);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  const auto making = being_made.find(provider.type);
  if (!failure && !making->second.taken_back) instances[provider.type] = instance;
  being_made.erase(making);
  lock.unlock();
  made.notify_all();
  if (failure) std::rethrow_exception(failure);
  return instance;
}

ServiceAccessor::ServiceAccessor() : state_(std::make_unique<State>()) {}
ServiceAccessor::~ServiceAccessor() = default;

RegistrationId ServiceAccessor::register_service(const IServiceIdentification& service, const ProviderClass& provider,
                                                 IdentificationPtr identification) {
  check_kind(service, provider, identification.get());
  const std::string name(service.name());
  const auto kind = kind_of(service);
  Registration added{{}, provider, std::move(identification)};  // outlives the lock, if it is refused
  const std::lock_guard lock(state_->mutex);
  auto* staging = state_->staging_of_this_thread();
  check_new(name, state_->services, kind, added);
  if (staging != nullptr) check_new(name, staging->staged, kind, added);
  const auto id = added.id = RegistrationId{++state_->last_id};
  auto& target = staging != nullptr ? staging->staged : state_->services;
  target.try_emplace(name, Service{kind, {}}).first->second.providers.push_back(std::move(added));
  return id;
}

void ServiceAccessor::unregister_service(const IServiceIdentification& service) {
  // All are destroyed after the lock: the destructors of providers and identifications are a plugin's code.
  Services::node_type staged;
  Services::node_type taken_back;
  std::vector<std::shared_ptr<IService>> dropped;
  const std::lock_guard lock(state_->mutex);
  if (auto* staging = state_->staging_of_this_thread()) staged = take(staging->staged, service);
  taken_back = take(state_->services, service);
  if (staged.empty() && taken_back.empty()) throw unknown_service(service.name());
  if (taken_back.empty()) return;
  for (const auto& registration : taken_back.mapped().providers)
    dropped.push_back(state_->drop_instance(registration.provider.type));
}

void ServiceAccessor::unregister_provider(const IServiceIdentification& service,
                                          const IProviderIdentification* identification) {
  State::TakenBack taken;
  const auto kind = kind_of(service);
  const std::lock_guard lock(state_->mutex);
  taken = state_->take_back([&](const Services::value_type& known, const Registration& registration) {
    return known.first == service.name() && known.second.kind == kind &&
           same(registration.identification.get(), identification);
  });
  if (!taken.registration) static_cast<void>(state_->registered(service, identification));  // throws what is wrong
}

bool ServiceAccessor::unregister(RegistrationId id) {
  State::TakenBack taken;
  const std::lock_guard lock(state_->mutex);
  taken = state_->take_back([&](const auto& /*service*/, const auto& registration) { return registration.id == id; });
  return taken.registration.has_value();
}

std::shared_ptr<IService> ServiceAccessor::get_or_create(const IServiceIdentification& service,
                                                         const IProviderIdentification* identification,
                                                         const ProviderArguments& arguments) {
  std::unique_lock lock(state_->mutex);
  auto provider = state_->registered(service, identification).provider;
  while (state_->being_made.contains(provider.type)) {
    if (state_->waits_for_this_thread(provider.type)) {
      throw Error(ErrorCode::runtime_error,
                  "provider " + quote(id_of(identification)) + " asks for itself while it is being made",
                  ErrorCause::internal);
    }
    state_->wait_until_made(lock, provider.type);
    provider = state_->registered(service, identification).provider;  // it may have been taken back meanwhile
  }
  if (const auto cached = state_->instances.find(provider.type); cached != state_->instances.end())
    return cached->second;
  return state_->make(lock, provider, arguments);
}

std::vector<IdentificationPtr> ServiceAccessor::providers_identifications(const IServiceIdentification& service) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<IdentificationPtr> identifications;
  for (const auto& registration : state_->registered(service)) identifications.push_back(registration.identification);
  return identifications;
}

bool ServiceAccessor::is_registered(const IServiceIdentification& service) const noexcept {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->services.find(service.name());
  return found != state_->services.end() && found->second.kind == kind_of(service);
}

ServiceAccessor::Staging::Staging(ServiceAccessor& accessor)
    : state_(std::make_unique<State>(State{accessor, std::this_thread::get_id(), {}})) {
  const std::lock_guard lock(accessor.state_->mutex);
  accessor.state_->stagings.push_back(state_.get());
}

ServiceAccessor::Staging::~Staging() {
  const std::lock_guard lock(state_->accessor.state_->mutex);
  std::erase(state_->accessor.state_->stagings, state_.get());
}

void ServiceAccessor::Staging::commit() {
  auto& all = *state_->accessor.state_;
  const std::lock_guard lock(all.mutex);
  for (const auto& [name, service] : state_->staged) {
    for (const auto& registration : service.providers) check_new(name, all.services, service.kind, registration);
  }
  for (auto& [name, service] : state_->staged) {
    auto& providers = all.services.try_emplace(name, Service{service.kind, {}}).first->second.providers;
    std::move(service.providers.begin(), service.providers.end(), std::back_inserter(providers));
  }
  state_->staged.clear();
}

std::vector<std::pair<std::string, std::string>> ServiceAccessor::Staging::staged() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, service] : state_->staged) {
    for (const auto& registration : service.providers)
      names.emplace_back(name, id_of(registration.identification.get()));
  }
  return names;
}

}  // namespace autoarchive
