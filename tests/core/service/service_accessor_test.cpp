// contract 1.1 and 1.2, row by row.
#include "autoarchive/service/service_accessor.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/iservice_component.hpp"

namespace autoarchive {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IGreeter : public IService {
 public:
  virtual std::string greeting() = 0;
};
class IOther : public IService {};

class GreeterId : public IProviderIdentification {
 public:
  explicit GreeterId(std::string id) : id_(std::move(id)) {}
  [[nodiscard]] std::string_view provider_id() const noexcept override { return id_; }

 private:
  std::string id_;
};
class OtherId final : public IProviderIdentification {
 public:
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "other"; }
};

template <class Interface_, class Id>
class ServiceId final : public IServiceIdentification {
 public:
  using Interface = Interface_;
  explicit ServiceId(std::string_view name) : name_(name) {}
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::type_index interface() const noexcept override { return typeid(Interface_); }
  [[nodiscard]] std::type_index provider_identification_interface() const noexcept override { return typeid(Id); }
  [[nodiscard]] bool accepts(const IProviderIdentification& identification) const noexcept override {
    return dynamic_cast<const Id*>(&identification) != nullptr;
  }

 private:
  std::string_view name_;
};
using GreeterService = ServiceId<IGreeter, GreeterId>;

class Polite final : public IGreeter {
 public:
  explicit Polite(const ProviderArguments& arguments) : name_(arguments.work_dir) { ++made; }
  ~Polite() override { --made; }
  std::string greeting() override { return "good day " + name_; }
  static inline std::atomic<int> made = 0;

 private:
  std::string name_;
};
class Rude final : public IGreeter {
 public:
  explicit Rude(const ProviderArguments& /*arguments*/) {}
  std::string greeting() override { return "what"; }
};
class Broken final : public IGreeter {
 public:
  explicit Broken(const ProviderArguments& /*arguments*/) {
    if (++attempts == 1) throw Error(ErrorCode::os_error, "no work directory");
  }
  std::string greeting() override { return "fixed"; }
  static inline int attempts = 0;
};

// contract 1.1, check 1: a class that does not derive from its interface does not compile …
static_assert(std::is_base_of_v<IService, IGreeter> && std::is_base_of_v<IGreeter, Polite> &&
              !std::is_base_of_v<IOther, Polite>);
// contract 1.2: bare interfaces can't be made.
static_assert(std::is_abstract_v<IGreeter> && std::is_abstract_v<IServiceComponent> &&
              std::is_abstract_v<IServiceIdentification>);

class ServiceAccessorTest : public ::testing::Test {
 protected:
  void add(const std::string& id, const ProviderClass& provider) {
    accessor_.register_service(service_, provider, std::make_shared<GreeterId>(id));
  }
  [[nodiscard]] std::shared_ptr<IGreeter> get(const std::string& id, const std::string& work_dir = "x") {
    return accessor_.get_or_create(service_, std::make_unique<GreeterId>(id).get(), {work_dir, {}});
  }
  template <class Call>
  static Error error_of(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::runtime_error, ""};
  }
  template <class Call>
  static ErrorCode code_of(const Call& call) {
    return error_of(call).code();
  }

  GreeterService service_{"greeter"};
  ServiceAccessor accessor_;
};

TEST_F(ServiceAccessorTest, RefusesAClassForAnotherInterface) {
  const ProviderClass polite = provider_class<Polite, IGreeter>();
  const ServiceId<IOther, OtherId> other("other");
  EXPECT_EQ(code_of([&] { accessor_.register_service(other, polite); }), ErrorCode::type_error);
  EXPECT_FALSE(accessor_.is_registered(other));
}

TEST_F(ServiceAccessorTest, RefusesAnIdentificationOfAnotherKind) {
  EXPECT_EQ(code_of([&] {
              accessor_.register_service(service_, provider_class<Polite, IGreeter>(), std::make_shared<OtherId>());
            }),
            ErrorCode::type_error);
}

class Other final : public IOther {
 public:
  explicit Other(const ProviderArguments& /*arguments*/) {}
};

TEST_F(ServiceAccessorTest, RefusesAServiceOfTheSameNameWithAnotherInterface) {
  add("polite", provider_class<Polite, IGreeter>());
  const ServiceId<IOther, OtherId> impostor("greeter");
  const auto error = error_of(
      [&] { accessor_.register_service(impostor, provider_class<Other, IOther>(), std::make_shared<OtherId>()); });
  EXPECT_EQ(error.code(), ErrorCode::type_error);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("'greeter'"), HasSubstr("::IGreeter"), HasSubstr("::IOther")));
  EXPECT_THAT(accessor_.providers_identifications(service_), SizeIs(1));
  const ServiceId<IGreeter, OtherId> other_identifications("greeter");
  EXPECT_EQ(code_of([&] { accessor_.register_service(other_identifications, provider_class<Rude, IGreeter>()); }),
            ErrorCode::type_error);
}

TEST_F(ServiceAccessorTest, GivesNothingToAServiceOfTheSameNameWithAnotherInterface) {
  add("polite", provider_class<Polite, IGreeter>());
  const ServiceId<IOther, GreeterId> impostor("greeter");
  const GreeterId polite("polite");
  EXPECT_FALSE(accessor_.is_registered(impostor));
  EXPECT_EQ(code_of([&] { static_cast<void>(accessor_.get_or_create(impostor, &polite, {})); }), ErrorCode::type_error);
  EXPECT_EQ(code_of([&] { static_cast<void>(accessor_.providers_identifications(impostor)); }), ErrorCode::type_error);
  EXPECT_EQ(code_of([&] { accessor_.unregister_provider(impostor, &polite); }), ErrorCode::type_error);
  EXPECT_EQ(code_of([&] { accessor_.unregister_service(impostor); }), ErrorCode::type_error);
  EXPECT_TRUE(accessor_.is_registered(service_));
}

TEST_F(ServiceAccessorTest, RefusesAStagedServiceOfTheSameNameWithAnotherInterface) {
  const ServiceId<IOther, OtherId> impostor("greeter");
  const auto stage_impostor = [&] {
    accessor_.register_service(impostor, provider_class<Other, IOther>(), std::make_shared<OtherId>());
  };
  ServiceAccessor::Staging staging(accessor_);
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(code_of(stage_impostor), ErrorCode::type_error);
  std::thread(stage_impostor).join();  // not staged: the service becomes another one meanwhile
  EXPECT_EQ(code_of([&] { staging.commit(); }), ErrorCode::type_error);
  EXPECT_FALSE(accessor_.is_registered(service_));
}

TEST_F(ServiceAccessorTest, RefusesTheSameIdentificationAndTheSameClassTwice) {
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(code_of([&] { add("polite", provider_class<Rude, IGreeter>()); }), ErrorCode::key_error);
  EXPECT_EQ(code_of([&] { add("another", provider_class<Polite, IGreeter>()); }), ErrorCode::key_error);
  accessor_.register_service(service_, provider_class<Rude, IGreeter>());
  EXPECT_EQ(code_of([&] { accessor_.register_service(service_, provider_class<Broken, IGreeter>()); }),
            ErrorCode::key_error);  // "none" is a value
}

TEST_F(ServiceAccessorTest, KnowsNoServiceAndNoProviderThatWasNotRegistered) {
  EXPECT_EQ(code_of([&] { static_cast<void>(get("polite")); }), ErrorCode::key_error);
  EXPECT_EQ(code_of([&] { static_cast<void>(accessor_.providers_identifications(service_)); }), ErrorCode::key_error);
  EXPECT_EQ(code_of([&] { accessor_.unregister_service(service_); }), ErrorCode::key_error);
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(code_of([&] { static_cast<void>(get("rude")); }), ErrorCode::key_error);
}

TEST_F(ServiceAccessorTest, MakesOneInstanceOfAClassAndIgnoresLaterArguments) {
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(Polite::made, 0);
  const auto first = get("polite", "a");
  EXPECT_EQ(get("polite", "b"), first);
  EXPECT_EQ(first->greeting(), "good day a");
  const GreeterService second_service("greeter 2");
  accessor_.register_service(second_service, provider_class<Polite, IGreeter>());
  EXPECT_EQ(accessor_.get_or_create(second_service, nullptr, {}), first);  // also under another service
}

TEST_F(ServiceAccessorTest, CachesNothingWhenTheConstructorThrows) {
  Broken::attempts = 0;
  add("broken", provider_class<Broken, IGreeter>());
  EXPECT_EQ(code_of([&] { static_cast<void>(get("broken")); }), ErrorCode::os_error);
  EXPECT_EQ(get("broken")->greeting(), "fixed");
}

TEST_F(ServiceAccessorTest, ListsIdentificationsInTheOrderOfRegistration) {
  add("z", provider_class<Polite, IGreeter>());
  add("a", provider_class<Rude, IGreeter>());
  std::vector<std::string> ids;
  for (const auto& id : accessor_.providers_identifications(service_)) ids.emplace_back(id->provider_id());
  EXPECT_THAT(ids, ElementsAre("z", "a"));
}

TEST_F(ServiceAccessorTest, UnregistersAServiceWithItsInstances) {
  add("polite", provider_class<Polite, IGreeter>());
  auto user = get("polite", "a");
  accessor_.unregister_service(service_);
  EXPECT_FALSE(accessor_.is_registered(service_));
  EXPECT_EQ(user->greeting(), "good day a");  // its user keeps it alive
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(get("polite", "b")->greeting(), "good day b");
}

TEST_F(ServiceAccessorTest, TakesOneProviderBackAndTheServiceWithTheLast) {
  add("polite", provider_class<Polite, IGreeter>());
  add("rude", provider_class<Rude, IGreeter>());
  const GreeterId polite("polite");
  accessor_.unregister_provider(service_, &polite);
  EXPECT_EQ(get("rude")->greeting(), "what");
  EXPECT_EQ(code_of([&] { accessor_.unregister_provider(service_, &polite); }), ErrorCode::key_error);
  const GreeterId rude("rude");
  accessor_.unregister_provider(service_, &rude);
  EXPECT_FALSE(accessor_.is_registered(service_));
}

TEST_F(ServiceAccessorTest, TakesOneRegistrationBackAndNotTheNextOfTheSameIdentification) {
  const auto identification = std::make_shared<GreeterId>("polite");
  const auto first = accessor_.register_service(service_, provider_class<Polite, IGreeter>(), identification);
  EXPECT_TRUE(accessor_.unregister(first));
  const auto second = accessor_.register_service(service_, provider_class<Polite, IGreeter>(), identification);
  EXPECT_FALSE(accessor_.unregister(first));
  EXPECT_EQ(get("polite", "a")->greeting(), "good day a");
  EXPECT_TRUE(accessor_.unregister(second));
  EXPECT_FALSE(accessor_.is_registered(service_));
}

TEST_F(ServiceAccessorTest, TakesBackWhatIsStaged) {
  ServiceAccessor::Staging staging(accessor_);
  add("polite", provider_class<Polite, IGreeter>());
  const auto rude =
      accessor_.register_service(service_, provider_class<Rude, IGreeter>(), std::make_shared<GreeterId>("rude"));
  const GreeterId polite("polite");
  accessor_.unregister_provider(service_, &polite);
  EXPECT_EQ(code_of([&] { accessor_.unregister_provider(service_, &polite); }), ErrorCode::key_error);
  EXPECT_THAT(staging.staged(), ElementsAre(std::pair<std::string, std::string>("greeter", "rude")));
  EXPECT_TRUE(accessor_.unregister(rude));
  add("polite", provider_class<Polite, IGreeter>());
  accessor_.unregister_service(service_);
  EXPECT_THAT(staging.staged(), IsEmpty());
  EXPECT_EQ(code_of([&] { accessor_.unregister_service(service_); }), ErrorCode::key_error);
  staging.commit();
  EXPECT_FALSE(accessor_.is_registered(service_));
}

TEST_F(ServiceAccessorTest, TakesBackWhatWasThereBeforeTheStagingAsWell) {
  add("polite", provider_class<Polite, IGreeter>());
  ServiceAccessor::Staging staging(accessor_);
  add("rude", provider_class<Rude, IGreeter>());
  const GreeterId polite("polite");
  accessor_.unregister_provider(service_, &polite);
  staging.commit();
  EXPECT_EQ(get("rude")->greeting(), "what");
  EXPECT_EQ(code_of([&] { static_cast<void>(get("polite")); }), ErrorCode::key_error);
}

TEST_F(ServiceAccessorTest, RegistersAllOrNothingWhenStaged) {
  {
    ServiceAccessor::Staging staging(accessor_);
    add("polite", provider_class<Polite, IGreeter>());
    EXPECT_FALSE(accessor_.is_registered(service_));
    EXPECT_EQ(code_of([&] { add("polite", provider_class<Rude, IGreeter>()); }), ErrorCode::key_error);
  }
  EXPECT_FALSE(accessor_.is_registered(service_));
  ServiceAccessor::Staging staging(accessor_);
  add("polite", provider_class<Polite, IGreeter>());
  staging.commit();
  EXPECT_TRUE(accessor_.is_registered(service_));
}

class Recursive final : public IGreeter {
 public:
  explicit Recursive(const ProviderArguments& arguments) {
    if (with != nullptr)
      inner_ = with->get_or_create(GreeterService("greeter"), std::make_unique<GreeterId>("polite").get(), arguments);
  }
  std::string greeting() override { return inner_->greeting(); }
  static inline ServiceAccessor* with = nullptr;

 private:
  std::shared_ptr<IGreeter> inner_;
};

TEST_F(ServiceAccessorTest, LetsAConstructorAskForAnotherProvider) {
  add("polite", provider_class<Polite, IGreeter>());
  add("recursive", provider_class<Recursive, IGreeter>());
  Recursive::with = &accessor_;
  EXPECT_EQ(get("recursive", "a")->greeting(), "good day a");
  Recursive::with = nullptr;
}

TEST_F(ServiceAccessorTest, GivesManyThreadsTheSameInstance) {
  add("polite", provider_class<Polite, IGreeter>());
  std::vector<std::shared_ptr<IGreeter>> got(8);
  std::vector<std::thread> threads;
  threads.reserve(got.size());
  for (auto& slot : got) threads.emplace_back([&] { slot = get("polite"); });
  for (auto& thread : threads) thread.join();
  for (const auto& slot : got) EXPECT_EQ(slot, got[0]);
  EXPECT_EQ(Polite::made, 1);
}

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

TEST_F(ServiceAccessorTest, ServesManyThreadsThatComeAndGo) {
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

TEST_F(ServiceAccessorTest, ServesThreadsThatAskWhileOthersRegisterAndDestroy) {
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

TEST_F(ServiceAccessorTest, HoldsNoLockWhileIdentificationsAreAsked) {
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

class TakenBack final : public IGreeter {
 public:
  explicit TakenBack(const ProviderArguments& /*arguments*/) {
    if (from != nullptr) from->unregister_service(GreeterService("greeter"));
  }
  std::string greeting() override { return "gone"; }
  static inline ServiceAccessor* from = nullptr;
};

TEST_F(ServiceAccessorTest, CachesNothingThatWasTakenBackWhileItWasMade) {
  add("gone", provider_class<TakenBack, IGreeter>());
  TakenBack::from = &accessor_;
  const auto first = get("gone");
  TakenBack::from = nullptr;
  add("gone", provider_class<TakenBack, IGreeter>());
  EXPECT_NE(get("gone"), first);
}

class Noticing final : public IProviderIdentification {
 public:
  explicit Noticing(const ServiceAccessor& accessor) : accessor_(accessor) {}
  ~Noticing() override { EXPECT_FALSE(accessor_.is_registered(GreeterService("greeter"))); }
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "noticing"; }

 private:
  const ServiceAccessor& accessor_;
};

TEST_F(ServiceAccessorTest, HoldsNoLockWhileAnIdentificationIsDestroyed) {
  const ServiceId<IGreeter, Noticing> service("greeter");
  accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  accessor_.unregister_service(service);
  accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  const auto same = accessor_.providers_identifications(service).front().get();
  accessor_.unregister_provider(service, same);
}

TEST_F(ServiceAccessorTest, HoldsNoLockWhileARefusedIdentificationIsDestroyed) {
  const ServiceId<IGreeter, Noticing> service("another");
  const auto add_noticing = [&] {
    accessor_.register_service(service, provider_class<Polite, IGreeter>(), std::make_shared<Noticing>(accessor_));
  };
  add_noticing();
  EXPECT_EQ(code_of(add_noticing), ErrorCode::key_error);
  accessor_.unregister_service(service);
}

std::atomic<int> circles_begun = 0;

/// Waits until the other one is being made as well, then asks for it.
template <int kNumber>
class Circle final : public IGreeter {
 public:
  explicit Circle(const ProviderArguments& arguments) {
    ++circles_begun;
    while (circles_begun < 2) std::this_thread::yield();
    other_ = with->get_or_create(GreeterService("greeter"), std::make_unique<GreeterId>(kNumber == 1 ? "2" : "1").get(),
                                 arguments);
  }
  std::string greeting() override { return "round"; }
  static inline ServiceAccessor* with = nullptr;

 private:
  std::shared_ptr<IGreeter> other_;
};

TEST_F(ServiceAccessorTest, RefusesACircleOverTwoThreadsInsteadOfWaitingForEver) {
  add("1", provider_class<Circle<1>, IGreeter>());
  add("2", provider_class<Circle<2>, IGreeter>());
  Circle<1>::with = Circle<2>::with = &accessor_;
  const auto ask = [&](const char* id) {
    EXPECT_EQ(code_of([&] { static_cast<void>(get(id)); }), ErrorCode::runtime_error);
  };
  std::thread first(ask, "1");
  std::thread second(ask, "2");
  first.join();
  second.join();
}

TEST_F(ServiceAccessorTest, DoesNotMixClassesOfTheSameNameOfTwoPlugins) {
  const ServiceId<IService, GreeterId> service("greeter");
  const auto class_of = [](const char* library) {
    void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);  // never closed, as the loader does it
    EXPECT_NE(handle, nullptr) << ::dlerror();
    ProviderClass provider;
    reinterpret_cast<void (*)(ProviderClass*)>(::dlsym(handle, "provide"))(&provider);
    return provider;
  };
  accessor_.register_service(service, class_of(AA_SAME_NAME_1), std::make_shared<GreeterId>("1"));
  accessor_.register_service(service, class_of(AA_SAME_NAME_2), std::make_shared<GreeterId>("2"));
  const GreeterId first("1");
  const GreeterId second("2");
  EXPECT_NE(accessor_.get_or_create(service, &first, {}), accessor_.get_or_create(service, &second, {}));
}

// contract 1.2
TEST(ApplicationContext, HasThreeReadOnlyProperties) {
  const ApplicationContext context({"aa", {{"verbose", "1"}}, {"home"}}, nullptr, nullptr);
  EXPECT_EQ(context.app_environment().executable_name(), "aa");
  EXPECT_THAT(context.app_environment().arguments(), ElementsAre("home"));
  EXPECT_EQ(context.app_environment().options().front().first, "verbose");
  EXPECT_EQ(context.configuration(), nullptr);
  EXPECT_EQ(context.storage(), nullptr);
}

}  // namespace
}  // namespace autoarchive
