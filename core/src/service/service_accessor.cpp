#include "autoarchive/service/service_accessor.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

using IdentificationPtr = ServiceAccessor::IdentificationPtr;

struct Registration {
  ProviderClass provider;
  IdentificationPtr identification;
};

using Services = std::map<std::string, std::vector<Registration>, std::less<>>;

bool same(const IProviderIdentification* a, const IProviderIdentification* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->equals(*b);
}

std::string id_of(const IProviderIdentification* identification) {
  return identification == nullptr ? std::string("(none)") : std::string(identification->provider_id());
}

Error unknown_service(std::string_view name) {
  return {ErrorCode::key_error,
          "service " + quote(name) + " is not registered; no plugin has brought in a provider for it"};
}

Error unknown_provider(std::string_view service, const IProviderIdentification* identification) {
  return {ErrorCode::key_error, "service " + quote(service) + " has no provider " + quote(id_of(identification))};
}

void check_kind(const IServiceIdentification& service, const ProviderClass& provider,
                const IProviderIdentification* identification) {
  if (provider.interface != service.interface()) {
    throw Error(ErrorCode::type_error, "service " + quote(service.name()) + ": the provider class is for " +
                                           provider.interface.name() + ", not for " + service.interface().name());
  }
  if (identification != nullptr && !service.accepts(*identification)) {
    throw Error(ErrorCode::type_error, "service " + quote(service.name()) + ": the identification of provider " +
                                           quote(identification->provider_id()) + " is not of the service's kind");
  }
}

void check_new(std::string_view service, const std::vector<Registration>& registered, const Registration& added) {
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

}  // namespace

struct ServiceAccessor::Staging::State {
  ServiceAccessor& accessor;
  std::thread::id thread = std::this_thread::get_id();
  std::vector<std::pair<std::string, Registration>> staged;
};

struct ServiceAccessor::State {
  // Guards everything below. Never held while a provider's constructor or destructor runs.
  mutable std::mutex mutex;
  Services services;
  std::map<std::type_index, std::shared_ptr<IService>> instances;
  std::set<std::type_index> being_made;
  std::set<std::pair<std::thread::id, std::type_index>> making;  // who makes what, to tell recursion from waiting
  std::condition_variable made;
  std::vector<Staging::State*> stagings;

  [[nodiscard]] const std::vector<Registration>& registered(std::string_view service) const {
    const auto found = services.find(service);
    if (found == services.end()) throw unknown_service(service);
    return found->second;
  }
  [[nodiscard]] Staging::State* staging_of_this_thread() const {
    for (auto* staging : stagings) {
      if (staging->thread == std::this_thread::get_id()) return staging;
    }
    return nullptr;
  }
  // Returned, so that the caller destroys it after the lock is gone.
  [[nodiscard]] std::shared_ptr<IService> drop_instance(std::type_index type) {
    const auto found = instances.find(type);
    if (found == instances.end()) return nullptr;
    auto instance = std::move(found->second);
    instances.erase(found);
    return instance;
  }
};

ServiceAccessor::ServiceAccessor() : state_(std::make_unique<State>()) {}
ServiceAccessor::~ServiceAccessor() = default;

void ServiceAccessor::register_service(const IServiceIdentification& service, const ProviderClass& provider,
                                       IdentificationPtr identification) {
  check_kind(service, provider, identification.get());
  const std::string name(service.name());
  const std::lock_guard lock(state_->mutex);
  Registration added{provider, std::move(identification)};
  const auto found = state_->services.find(name);
  if (found != state_->services.end()) check_new(name, found->second, added);
  auto* staging = state_->staging_of_this_thread();
  if (staging == nullptr) {
    state_->services[name].push_back(std::move(added));
    return;
  }
  std::vector<Registration> staged;
  for (const auto& [staged_name, registration] : staging->staged) {
    if (staged_name == name) staged.push_back(registration);
  }
  check_new(name, staged, added);
  staging->staged.emplace_back(name, std::move(added));
}

void ServiceAccessor::unregister_service(const IServiceIdentification& service) {
  std::vector<std::shared_ptr<IService>> dropped;
  const std::lock_guard lock(state_->mutex);
  for (const auto& registration : state_->registered(service.name())) {
    dropped.push_back(state_->drop_instance(registration.provider.type));
  }
  state_->services.erase(state_->services.find(service.name()));
}

void ServiceAccessor::unregister_provider(const IServiceIdentification& service,
                                          const IProviderIdentification* identification) {
  std::shared_ptr<IService> dropped;  // destroyed after the lock
  const std::lock_guard lock(state_->mutex);
  static_cast<void>(state_->registered(service.name()));
  auto& registered = state_->services.find(service.name())->second;
  const auto found = std::find_if(registered.begin(), registered.end(), [&](const Registration& registration) {
    return same(registration.identification.get(), identification);
  });
  if (found == registered.end()) throw unknown_provider(service.name(), identification);
  dropped = state_->drop_instance(found->provider.type);
  registered.erase(found);
  if (registered.empty()) state_->services.erase(state_->services.find(service.name()));
}

std::shared_ptr<IService> ServiceAccessor::get_or_create(const IServiceIdentification& service,
                                                         const IProviderIdentification* identification,
                                                         const ProviderArguments& arguments) {
  std::unique_lock lock(state_->mutex);
  const auto& registered = state_->registered(service.name());
  const auto found = std::find_if(registered.begin(), registered.end(), [&](const Registration& registration) {
    return same(registration.identification.get(), identification);
  });
  if (found == registered.end()) throw unknown_provider(service.name(), identification);
  const ProviderClass provider = found->provider;
  const std::pair making(std::this_thread::get_id(), provider.type);
  if (state_->making.contains(making)) {
    throw Error(ErrorCode::runtime_error,
                "provider " + quote(id_of(identification)) + " asks for itself while it is being made",
                ErrorCause::internal);
  }
  state_->made.wait(lock, [&] { return !state_->being_made.contains(provider.type); });
  if (const auto cached = state_->instances.find(provider.type); cached != state_->instances.end())
    return cached->second;

  state_->being_made.insert(provider.type);
  state_->making.insert(making);
  lock.unlock();
  std::shared_ptr<IService> instance;
  std::exception_ptr failure;
  try {
    instance = provider.create(arguments);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  state_->being_made.erase(provider.type);
  state_->making.erase(making);
  if (!failure) state_->instances[provider.type] = instance;
  lock.unlock();
  state_->made.notify_all();
  if (failure) std::rethrow_exception(failure);
  return instance;
}

std::vector<IdentificationPtr> ServiceAccessor::providers_identifications(const IServiceIdentification& service) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<IdentificationPtr> identifications;
  for (const auto& registration : state_->registered(service.name()))
    identifications.push_back(registration.identification);
  return identifications;
}

bool ServiceAccessor::is_registered(const IServiceIdentification& service) const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->services.contains(service.name());
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
  for (const auto& [service, registration] : state_->staged) {
    const auto found = all.services.find(service);
    if (found != all.services.end()) check_new(service, found->second, registration);
  }
  for (auto& [service, registration] : state_->staged) all.services[service].push_back(std::move(registration));
  state_->staged.clear();
}

std::vector<std::pair<std::string, std::string>> ServiceAccessor::Staging::staged() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [service, registration] : state_->staged) {
    names.emplace_back(service, id_of(registration.identification.get()));
  }
  return names;
}

}  // namespace autoarchive
