// The one instance of a provider class: when it is made, and when it is not kept.
#include <atomic>
#include <thread>

#include "service_fixture.hpp"

namespace autoarchive {
namespace {

using namespace test;  // the greeters

class ServiceInstancesTest : public ServiceAccessorTest {};

TEST_F(ServiceInstancesTest, MakesOneInstanceOfAClassAndIgnoresLaterArguments) {
  add("polite", provider_class<Polite, IGreeter>());
  EXPECT_EQ(Polite::made, 0);
  const auto first = get("polite", "a");
  EXPECT_EQ(get("polite", "b"), first);
  EXPECT_EQ(first->greeting(), "good day a");
  const GreeterService second_service("greeter 2");
  accessor_.register_service(second_service, provider_class<Polite, IGreeter>());
  EXPECT_EQ(accessor_.get_or_create(second_service, nullptr, {}), first);  // also under another service
}

TEST_F(ServiceInstancesTest, CachesNothingWhenTheConstructorThrows) {
  Broken::attempts = 0;
  add("broken", provider_class<Broken, IGreeter>());
  EXPECT_EQ(code_of([&] { static_cast<void>(get("broken")); }), ErrorCode::os_error);
  EXPECT_EQ(get("broken")->greeting(), "fixed");
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

TEST_F(ServiceInstancesTest, LetsAConstructorAskForAnotherProvider) {
  add("polite", provider_class<Polite, IGreeter>());
  add("recursive", provider_class<Recursive, IGreeter>());
  Recursive::with = &accessor_;
  EXPECT_EQ(get("recursive", "a")->greeting(), "good day a");
  Recursive::with = nullptr;
}

TEST_F(ServiceInstancesTest, GivesManyThreadsTheSameInstance) {
  add("polite", provider_class<Polite, IGreeter>());
  std::vector<std::shared_ptr<IGreeter>> got(8);
  std::vector<std::thread> threads;
  threads.reserve(got.size());
  for (auto& slot : got) threads.emplace_back([&] { slot = get("polite"); });
  for (auto& thread : threads) thread.join();
  for (const auto& slot : got) EXPECT_EQ(slot, got[0]);
  EXPECT_EQ(Polite::made, 1);
}

class TakenBack final : public IGreeter {
 public:
  explicit TakenBack(const ProviderArguments& /*arguments*/) {
    if (from != nullptr) from->unregister_service(GreeterService("greeter"));
  }
  std::string greeting() override { return "gone"; }
  static inline ServiceAccessor* from = nullptr;
};

TEST_F(ServiceInstancesTest, CachesNothingThatWasTakenBackWhileItWasMade) {
  add("gone", provider_class<TakenBack, IGreeter>());
  TakenBack::from = &accessor_;
  const auto first = get("gone");
  TakenBack::from = nullptr;
  add("gone", provider_class<TakenBack, IGreeter>());
  EXPECT_NE(get("gone"), first);
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

TEST_F(ServiceInstancesTest, RefusesACircleOverTwoThreadsInsteadOfWaitingForEver) {
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

}  // namespace
}  // namespace autoarchive
