#include "autoarchive/service/service_accessor.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "instance_cache.hpp"
#include "registrations.hpp"

namespace autoarchive {

using IdentificationPtr = ServiceAccessor::IdentificationPtr;
using RegistrationId = ServiceAccessor::RegistrationId;
using Class = InstanceCache::Class;

struct ServiceAccessor::Staging::State {
  ServiceAccessor& accessor;
  std::thread::id thread = std::this_thread::get_id();
  Registrations staged;
};

/// What is registered is an immutable value. Whoever looks at it, which calls identifications and so a plugin's code,
/// does that without the lock on the value as it was; whoever changes it makes a new value and puts it in the old one's
/// place, or begins anew if somebody else was faster.
struct ServiceAccessor::State {
  using Snapshot = std::shared_ptr<const Registrations>;

  // Guards everything below. Never held while a plugin's code runs.
  mutable std::mutex mutex;
  Snapshot registrations = std::make_shared<const Registrations>();
  InstanceCache instances;
  std::vector<Staging::State*> stagings;

  std::atomic<std::uint64_t> last_id = 0;

  [[nodiscard]] Snapshot snapshot() const {
    const std::lock_guard lock(mutex);
    return registrations;
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
  // Of what is wanted, this thread's staged registrations come first: they are the newer ones. False: there is none.
  [[nodiscard]] bool take_back(const Registrations::Wanted& wanted);
};

template <class Change>
void ServiceAccessor::State::update(const Change& change) {
  for (;;) {
    auto before = snapshot();
    auto changed = std::make_shared<Registrations>(*before);
    const auto dropped_classes = change(*changed);
    std::vector<std::shared_ptr<IService>> dropped;
    dropped.reserve(dropped_classes.size());
    const std::lock_guard lock(mutex);  // gone before `dropped` and `before` are
    if (registrations != before) continue;
    registrations = std::move(changed);
    for (const auto type : dropped_classes) dropped.push_back(instances.drop(type));
    return;
  }
}

bool ServiceAccessor::State::take_back(const Registrations::Wanted& wanted) {
  if (auto* staging = staging_of_this_thread()) {
    if (staging->staged.take(wanted)) return true;
  }
  bool found = false;
  update([&](Registrations& changed) {
    const auto taken = changed.take(wanted);
    found = taken.has_value();
    return found ? std::vector<Class>{taken->provider.type} : std::vector<Class>();
  });
  return found;
}

ServiceAccessor::ServiceAccessor() : state_(std::make_unique<State>()) {}
ServiceAccessor::~ServiceAccessor() = default;

RegistrationId ServiceAccessor::register_service(const IServiceIdentification& service, const ProviderClass& provider,
                                                 IdentificationPtr identification) {
  check_kind(service, provider, identification.get());
  const NamedService named(service);
  const Registration added{RegistrationId{++state_->last_id}, provider, std::move(identification)};
  if (auto* staging = state_->staging_of_this_thread()) {
    state_->snapshot()->check_new(named, added);
    staging->staged.check_new(named, added);
    staging->staged.add(named, added);
    return added.id;
  }
  state_->update([&](Registrations& all) {
    all.check_new(named, added);
    all.add(named, added);
    return std::vector<Class>();
  });
  return added.id;
}

void ServiceAccessor::unregister_service(const IServiceIdentification& service) {
  const NamedService named(service);
  bool found = false;
  if (auto* staging = state_->staging_of_this_thread()) found = !staging->staged.take_all(named).empty();
  state_->update([&](Registrations& all) {
    const auto taken = all.take_all(named);
    if (taken.empty() && !found) static_cast<void>(all.of(named));  // throws that there is none
    std::vector<Class> classes;
    for (const auto& registration : taken) classes.push_back(registration.provider.type);
    return classes;
  });
}

void ServiceAccessor::unregister_provider(const IServiceIdentification& service,
                                          const IProviderIdentification* identification) {
  const NamedService named(service);
  const bool found = state_->take_back([&](std::string_view name, const ServiceKind& kind, const Registration& known) {
    return name == named.name && kind == named.kind && same_provider(known.identification.get(), identification);
  });
  if (!found) static_cast<void>(state_->snapshot()->find(named, identification));  // throws what is wrong
}

bool ServiceAccessor::unregister(RegistrationId id) {
  return state_->take_back([&](std::string_view /*name*/, const ServiceKind& /*kind*/, const Registration& known) {
    return known.id == id;
  });
}

std::shared_ptr<IService> ServiceAccessor::get_or_create(const IServiceIdentification& service,
                                                         const IProviderIdentification* identification,
                                                         const ProviderArguments& arguments) {
  const NamedService named(service);
  for (;;) {
    const auto snapshot = state_->snapshot();
    const auto& registration = snapshot->find(named, identification);
    const auto& provider = registration.provider;
    auto& instances = state_->instances;
    std::unique_lock lock(state_->mutex);
    if (!state_->registrations->has(named.name, registration.id)) continue;  // taken back meanwhile
    if (auto cached = instances.find(provider.type)) return cached;
    if (!instances.is_being_made(provider.type)) return instances.make(lock, provider, arguments);
    if (instances.waits_for_this_thread(provider.type)) {
      lock.unlock();
      throw Error(ErrorCode::runtime_error,
                  "provider " + quote(id_of(identification)) + " asks for itself while it is being made",
                  ErrorCause::internal);
    }
    instances.wait_until_made(lock, provider.type);
  }
}

std::vector<IdentificationPtr> ServiceAccessor::providers_identifications(const IServiceIdentification& service) const {
  const auto snapshot = state_->snapshot();
  std::vector<IdentificationPtr> identifications;
  for (const auto& registration : snapshot->of(NamedService(service)))
    identifications.push_back(registration.identification);
  return identifications;
}

bool ServiceAccessor::is_registered(const IServiceIdentification& service) const noexcept {
  return state_->snapshot()->has(service.name(), {service.interface(), service.provider_identification_interface()});
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
  state_->accessor.state_->update([&](Registrations& all) {
    all.add_all(state_->staged);
    return std::vector<Class>();
  });
  state_->staged = {};
}

std::vector<std::pair<std::string, std::string>> ServiceAccessor::Staging::staged() const {
  return state_->staged.names();
}

}  // namespace autoarchive
