// Many threads at once, and no lock while a plugin's code runs.
#include <atomic>
#include <functional>
#include <thread>

#include "service_fixture.hpp"

namespace autoarchive {
namespace {

using namespace test;  // the greeters

class ServiceThreadsTest : public ServiceAccessorTest {};

/// One class a thread.
template <int kNumber>
class Numbered final : public IGreeter {
 public:
  explicit Numbered(const ProviderArguments& /*arguments*/) {}
  std::string greeting() override { return std::to_string(kNumber); }
};

template <int kNumber>
void come_and_go(ServiceAccessor& accessor) {
  const GreeterService service("greeter");
  const auto identification = std::make_shared<GreeterId>(std::to_string(kNumber));
  for (int round = 0; round < 200; ++round) {
    ServiceAccessor::Staging staging(accessor);
    const auto id = accessor.register_service(service, provider_class<Numbered<kNumber>, IGreeter>(), identification);
    staging.commit();
    EXPECT_EQ(accessor.get_or_create(service, identification.get(), {})->greeting(), identification->provider_id());
    EXPECT_THAT(accessor.providers_identifications(service), ::testing::Contains(identification));
    EXPECT_TRUE(accessor.unregister(id));
  }
}

TEST_F(ServiceThreadsTest, ServesManyThreadsThatComeAndGo) {
  std::thread first(come_and_go<1>, std::ref(accessor_));
  std::thread second(come_and_go<2>, std::ref(accessor_));
  std::thread third(come_and_go<3>, std::ref(accessor_));
  for (auto* thread : {&first, &second, &third}) thread->join();
  EXPECT_FALSE(accessor_.is_registered(service_));
}

/// Asks and holds what it gets; everything may be gone at any time, and a lease is good for as long as it is held.
void ask(ServiceAccessor& accessor, const std::atomic<bool>& stop) {
  const GreeterService service("greeter");
  const GreeterId wanted("1");
  std::shared_ptr<IGreeter> lease;
  while (!stop) {
    try {
      lease = accessor.get_or_create(service, &wanted, {});
      for (const auto& identification : accessor.providers_identifications(service))
        EXPECT_FALSE(identification->provider_id().empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::key_error);
    }
    EXPECT_EQ(lease ? lease->greeting() : "1", "1");
  }
}

void destroy(ServiceAccessor& accessor, const std::atomic<bool>& stop) {
  const GreeterService service("greeter");
  while (!stop) {
    try {
      accessor.unregister_service(service);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::key_error);
    }
    std::this_thread::yield();
  }
}

template <int kNumber>
void register_again_and_again(ServiceAccessor& accessor) {
  const GreeterService service("greeter");
  for (int i = 0; i < 300; ++i) {
    ServiceAccessor::Staging staging(accessor);
    const auto id = accessor.register_service(service, provider_class<Numbered<kNumber>, IGreeter>(),
                                              std::make_shared<GreeterId>(std::to_string(kNumber)));
    staging.commit();
    static_cast<void>(accessor.unregister(id));  // unless it is gone already
  }
}

TEST_F(ServiceThreadsTest, ServesThreadsThatAskWhileOthersRegisterAndDestroy) {
  std::atomic<bool> stop = false;
  std::thread asking(ask, std::ref(accessor_), std::cref(stop));
  std::thread asking_too(ask, std::ref(accessor_), std::cref(stop));
  std::thread destroying(destroy, std::ref(accessor_), std::cref(stop));
  std::thread first(register_again_and_again<1>, std::ref(accessor_));
  std::thread second(register_again_and_again<2>, std::ref(accessor_));
  first.join();
  second.join();
  stop = true;
  for (auto* thread : {&asking, &asking_too, &destroying}) thread->join();
  EXPECT_FALSE(accessor_.is_registered(service_));
}

/// Comes back into the accessor with every word it says, as a plugin's code may.
class Curious final : public IProviderIdentification {
 public:
  Curious(const ServiceAccessor& accessor, std::string id) : accessor_(accessor), id_(std::move(id)) {}
  [[nodiscard]] std::string_view provider_id() const noexcept override {
    static_cast<void>(accessor_.is_registered(GreeterService("greeter")));
    return id_;
  }
  [[nodiscard]] bool equals(const IProviderIdentification& other) const noexcept override {
    static_cast<void>(accessor_.is_registered(GreeterService("greeter")));
    return other.provider_id() == provider_id();
  }

 private:
  const ServiceAccessor& accessor_;
  std::string id_;
};

class CuriousService final : public IServiceIdentification {
 public:
  explicit CuriousService(const ServiceAccessor& accessor) : accessor_(accessor) {}
  [[nodiscard]] std::string_view name() const noexcept override { return look(std::string_view("curious")); }
  [[nodiscard]] std::type_index interface() const noexcept override { return look(std::type_index(typeid(IGreeter))); }
  [[nodiscard]] std::type_index provider_identification_interface() const noexcept override {
    return look(std::type_index(typeid(Curious)));
  }
  [[nodiscard]] bool accepts(const IProviderIdentification& identification) const noexcept override {
    return look(dynamic_cast<const Curious*>(&identification) != nullptr);
  }

 private:
  template <class T>
  [[nodiscard]] T look(T answer) const {
    static_cast<void>(accessor_.is_registered(GreeterService("greeter")));
    return answer;
  }
  const ServiceAccessor& accessor_;
};

TEST_F(ServiceThreadsTest, HoldsNoLockWhileIdentificationsAreAsked) {
  const CuriousService service(accessor_);
  const auto add_curious = [&](const std::string& id, const ProviderClass& provider) {
    return accessor_.register_service(service, provider, std::make_shared<Curious>(accessor_, id));
  };
  const auto first = add_curious("a", provider_class<Polite, IGreeter>());
  add_curious("b", provider_class<Rude, IGreeter>());
  EXPECT_EQ(code_of([&] { add_curious("a", provider_class<Broken, IGreeter>()); }), ErrorCode::key_error);
  EXPECT_EQ(code_of([&] { add_curious("c", provider_class<Rude, IGreeter>()); }), ErrorCode::key_error);
  const Curious b(accessor_, "b");
  EXPECT_NE(accessor_.get_or_create(service, &b, {}), nullptr);
  EXPECT_TRUE(accessor_.is_registered(service));
  EXPECT_TRUE(accessor_.unregister(first));
  accessor_.unregister_provider(service, &b);
  EXPECT_EQ(code_of([&] { accessor_.unregister_provider(service, &b); }), ErrorCode::key_error);
  ServiceAccessor::Staging staging(accessor_);
  add_curious("a", provider_class<Polite, IGreeter>());
  EXPECT_EQ(code_of([&] { add_curious("a", provider_class<Polite, IGreeter>()); }), ErrorCode::key_error);
  staging.commit();
  accessor_.unregister_service(service);
}

class Noticing final : public IProviderIdentification {
 public:
  explicit Noticing(const ServiceAccessor& accessor) : accessor_(accessor) {}
  ~Noticing() override { EXPECT_FALSE(accessor_.is_registered(GreeterService("greeter"))); }
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "noticing"; }

 private:
  const ServiceAccessor& accessor_;
};

TEST_F(ServiceThreadsTest, HoldsNoLockWhileAnIdentificationIsDestroyed) {
  const ServiceId<IGreeter, Noticing> service("greeter");
  accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  accessor_.unregister_service(service);
  accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  const auto same = accessor_.providers_identifications(service).front().get();
  accessor_.unregister_provider(service, same);
}

TEST_F(ServiceThreadsTest, HoldsNoLockWhileARefusedIdentificationIsDestroyed) {
  const ServiceId<IGreeter, Noticing> service("another");
  const auto add_noticing = [&] {
    accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  };
  add_noticing();
  EXPECT_EQ(code_of(add_noticing), ErrorCode::key_error);
  accessor_.unregister_service(service);
}

}  // namespace
}  // namespace autoarchive
