#include "autoarchive/service/service_accessor.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
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

/// A service as its identification, which is a plugin's code, says it once.
struct NamedService {
  std::string name;
  ServiceKind kind;
  explicit NamedService(const IServiceIdentification& service) : name(service.name()), kind(kind_of(service)) {}
};

/// Takes the whole service out; empty if there is none.
Services::node_type take(Services& services, const NamedService& service) {
  const auto found = services.find(service.name);
  if (found == services.end()) return {};
  check_same_kind(service.name, found->second.kind, service.kind);
  return services.extract(found);
}

const std::vector<Registration>& registered(const Services& services, const NamedService& service) {
  const auto found = services.find(service.name);
  if (found == services.end()) throw unknown_service(service.name);
  check_same_kind(service.name, found->second.kind, service.kind);
  return found->second.providers;
}

const Registration& registered(const Services& services, const NamedService& service,
                               const IProviderIdentification* identification) {
  for (const auto& registration : registered(services, service)) {
    if (same(registration.identification.get(), identification)) return registration;
  }
  throw unknown_provider(service.name, identification);
}

bool has(const Services& services, const std::string& name, RegistrationId id) {
  const auto found = services.find(name);
  return found != services.end() && std::any_of(found->second.providers.begin(), found->second.providers.end(),
                                                [&](const auto& registration) { return registration.id == id; });
}

}  // namespace

struct ServiceAccessor::Staging::State {
  ServiceAccessor& accessor;
  std::thread::id thread = std::this_thread::get_id();
  Services staged;
};

/// What is registered is an immutable value. Whoever looks at it, which calls identifications and so a plugin's code,
/// does that without the lock on the value as it was; whoever changes it makes a new value and puts it in the old one's
/// place, or begins anew if somebody else was faster.
struct ServiceAccessor::State {
  using Class = const std::type_info*;
  using Snapshot = std::shared_ptr<const Services>;
  struct Making {
    std::thread::id thread;
    bool taken_back = false;  // meanwhile: what comes out is not cached
  };

  // Guards everything below. Never held while a plugin's code runs.
  mutable std::mutex mutex;
  Snapshot services = std::make_shared<const Services>();
  std::map<Class, std::shared_ptr<IService>> instances;
  std::map<Class, Making> being_made;
  std::map<std::thread::id, Class> waiting;  // who waits for what to be made
  std::condition_variable made;
  std::vector<Staging::State*> stagings;

  std::atomic<std::uint64_t> last_id = 0;

  [[nodiscard]] Snapshot snapshot() const {
    const std::lock_guard lock(mutex);
    return services;
  }
  // A staging is used by its own thread only; the lock guards the list of them.
  [[nodiscard]] Staging::State* staging_of_this_thread() const {
    const std::lock_guard lock(mutex);
    for (auto* staging : stagings) {
      if (staging->thread == std::this_thread::get_id()) return staging;
    }
    return nullptr;
  }
  // `change` gets a copy of what is registered, and returns the classes whose instances go with the change. It is
  // called again if another thread has changed something meanwhile; when it throws, nothing has changed.
  template <class Change>
  void update(const Change& change);
  // REQUIRES: the lock. The result is destroyed after the lock is gone: that is a plugin's code.
  [[nodiscard]] std::shared_ptr<IService> drop_instance(Class type) {
    if (const auto making = being_made.find(type); making != being_made.end()) making->second.taken_back = true;
    const auto found = instances.find(type);
    if (found == instances.end()) return nullptr;
    auto instance = std::move(found->second);
    instances.erase(found);
    return instance;
  }
  // Of what is wanted, this thread's staged registrations come first: they are the newer ones. False: there is none.
  template <class Wanted>
  [[nodiscard]] bool take_back(const Wanted& wanted) {
    if (auto* staging = staging_of_this_thread()) {
      if (take(staging->staged, wanted)) return true;
    }
    bool found = false;
    update([&](Services& changed) {
      const auto taken = take(changed, wanted);
      found = taken.has_value();
      return found ? std::vector<Class>{taken->provider.type} : std::vector<Class>();
    });
    return found;
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

template <class Change>
void ServiceAccessor::State::update(const Change& change) {
  for (;;) {
    auto before = snapshot();
    auto changed = std::make_shared<Services>(*before);
    const auto dropped_classes = change(*changed);
    std::vector<std::shared_ptr<IService>> dropped;
    const std::lock_guard lock(mutex);  // gone before `dropped` and `before` are
    if (services != before) continue;
    services = std::move(changed);
    for (const auto type : dropped_classes) dropped.push_back(drop_instance(type));
    return;
  }
}

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
  const NamedService named(service);
  const Registration added{RegistrationId{++state_->last_id}, provider, std::move(identification)};
  const auto add = [&](Services& services) {
    services.try_emplace(named.name, Service{named.kind, {}}).first->second.providers.push_back(added);
  };
  if (auto* staging = state_->staging_of_this_thread()) {
    check_new(named.name, *state_->snapshot(), named.kind, added);
    check_new(named.name, staging->staged, named.kind, added);
    add(staging->staged);
    return added.id;
  }
  state_->update([&](Services& services) {
    check_new(named.name, services, named.kind, added);
    add(services);
    return std::vector<State::Class>();
  });
  return added.id;
}

void ServiceAccessor::unregister_service(const IServiceIdentification& service) {
  const NamedService named(service);
  bool found = false;
  if (auto* staging = state_->staging_of_this_thread()) found = !take(staging->staged, named).empty();
  state_->update([&](Services& services) {
    const auto taken = take(services, named);
    std::vector<State::Class> classes;
    if (taken.empty()) {
      if (!found) throw unknown_service(named.name);
      return classes;
    }
    for (const auto& registration : taken.mapped().providers) classes.push_back(registration.provider.type);
    return classes;
  });
}

void ServiceAccessor::unregister_provider(const IServiceIdentification& service,
                                          const IProviderIdentification* identification) {
  const NamedService named(service);
  const bool found = state_->take_back([&](const Services::value_type& known, const Registration& registration) {
    return known.first == named.name && known.second.kind == named.kind &&
           same(registration.identification.get(), identification);
  });
  if (!found) static_cast<void>(registered(*state_->snapshot(), named, identification));  // throws what is wrong
}

bool ServiceAccessor::unregister(RegistrationId id) {
  return state_->take_back([&](const auto& /*service*/, const auto& registration) { return registration.id == id; });
}

std::shared_ptr<IService> ServiceAccessor::get_or_create(const IServiceIdentification& service,
                                                         const IProviderIdentification* identification,
                                                         const ProviderArguments& arguments) {
  const NamedService named(service);
  for (;;) {
    const auto services = state_->snapshot();
    const auto& registration = registered(*services, named, identification);
    const auto& provider = registration.provider;
    std::unique_lock lock(state_->mutex);
    if (!has(*state_->services, named.name, registration.id)) continue;  // taken back meanwhile
    if (const auto cached = state_->instances.find(provider.type); cached != state_->instances.end())
      return cached->second;
    if (!state_->being_made.contains(provider.type)) return state_->make(lock, provider, arguments);
    if (state_->waits_for_this_thread(provider.type)) {
      lock.unlock();
      throw Error(ErrorCode::runtime_error,
                  "provider " + quote(id_of(identification)) + " asks for itself while it is being made",
                  ErrorCause::internal);
    }
    state_->wait_until_made(lock, provider.type);
  }
}

std::vector<IdentificationPtr> ServiceAccessor::providers_identifications(const IServiceIdentification& service) const {
  const auto services = state_->snapshot();
  std::vector<IdentificationPtr> identifications;
  for (const auto& registration : registered(*services, NamedService(service)))
    identifications.push_back(registration.identification);
  return identifications;
}

bool ServiceAccessor::is_registered(const IServiceIdentification& service) const noexcept {
  const auto services = state_->snapshot();
  const auto found = services->find(service.name());
  return found != services->end() && found->second.kind == kind_of(service);
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
  state_->accessor.state_->update([&](Services& all) {
    for (const auto& [name, service] : state_->staged) {
      for (const auto& registration : service.providers) check_new(name, all, service.kind, registration);
    }
    for (const auto& [name, service] : state_->staged) {
      auto& providers = all.try_emplace(name, Service{service.kind, {}}).first->second.providers;
      providers.insert(providers.end(), service.providers.begin(), service.providers.end());
    }
    return std::vector<const std::type_info*>();
  });
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
