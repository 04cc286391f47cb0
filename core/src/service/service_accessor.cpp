#include "autoarchive/service/service_accessor.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
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

std::vector<Registration>::iterator find_provider(std::vector<Registration>& registered,
                                                  const IProviderIdentification* identification) {
  return std::find_if(registered.begin(), registered.end(), [&](const Registration& registration) {
    return same(registration.identification.get(), identification);
  });
}

}  // namespace

struct ServiceAccessor::Staging::State {
  ServiceAccessor& accessor;
  std::thread::id thread = std::this_thread::get_id();
  std::vector<std::pair<std::string, Registration>> staged;
};

struct ServiceAccessor::State {
  using Class = const std::type_info*;
  struct Making {
    std::thread::id thread;
    bool taken_back = false;  // meanwhile: what comes out is not cached
  };

  // Guards everything below. Never held while a provider's constructor or destructor runs.
  mutable std::mutex mutex;
  Services services;
  std::map<Class, std::shared_ptr<IService>> instances;
  std::map<Class, Making> being_made;
  std::map<std::thread::id, Class> waiting;  // who waits for what to be made
  std::condition_variable made;
  std::vector<Staging::State*> stagings;

  [[nodiscard]] std::vector<Registration>& registered(std::string_view service) {
    const auto found = services.find(service);
    if (found == services.end()) throw unknown_service(service);
    return found->second;
  }
  [[nodiscard]] std::vector<Registration>::iterator registered(std::string_view service,
                                                               const IProviderIdentification* identification) {
    auto& all = registered(service);
    const auto found = find_provider(all, identification);
    if (found == all.end()) throw unknown_provider(service, identification);
    return found;
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
  // Both are destroyed after the lock: the destructors of providers and identifications are a plugin's code.
  std::vector<Registration> taken_back;
  std::vector<std::shared_ptr<IService>> dropped;
  const std::lock_guard lock(state_->mutex);
  taken_back = std::move(state_->registered(service.name()));
  state_->services.erase(state_->services.find(service.name()));
  for (const auto& registration : taken_back) dropped.push_back(state_->drop_instance(registration.provider.type));
}

void ServiceAccessor::unregister_provider(const IServiceIdentification& service,
                                          const IProviderIdentification* identification) {
  Registration taken_back;  // as above
  std::shared_ptr<IService> dropped;
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->registered(service.name(), identification);
  taken_back = std::move(*found);
  dropped = state_->drop_instance(taken_back.provider.type);
  auto& others = state_->registered(service.name());
  others.erase(found);
  if (others.empty()) state_->services.erase(state_->services.find(service.name()));
}

std::shared_ptr<IService> ServiceAccessor::get_or_create(const IServiceIdentification& service,
                                                         const IProviderIdentification* identification,
                                                         const ProviderArguments& arguments) {
  std::unique_lock lock(state_->mutex);
  auto provider = state_->registered(service.name(), identification)->provider;
  while (state_->being_made.contains(provider.type)) {
    if (state_->waits_for_this_thread(provider.type)) {
      throw Error(ErrorCode::runtime_error,
                  "provider " + quote(id_of(identification)) + " asks for itself while it is being made",
                  ErrorCause::internal);
    }
    state_->wait_until_made(lock, provider.type);
    provider = state_->registered(service.name(), identification)->provider;  // it may have been taken back meanwhile
  }
  if (const auto cached = state_->instances.find(provider.type); cached != state_->instances.end())
    return cached->second;
  return state_->make(lock, provider, arguments);
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
