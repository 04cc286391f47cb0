// contract 1.1 and 1.2, row by row.
#include "autoarchive/service/service_accessor.hpp"

#include <dlfcn.h>

#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/iservice_component.hpp"
#include "service_fixture.hpp"

namespace autoarchive {
namespace {

using namespace test;  // the greeters

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// contract 1.1, check 1: a class that does not derive from its interface does not compile …
static_assert(std::is_base_of_v<IService, IGreeter> && std::is_base_of_v<IGreeter, Polite> &&
              !std::is_base_of_v<IOther, Polite>);
// contract 1.2: bare interfaces can't be made.
static_assert(std::is_abstract_v<IGreeter> && std::is_abstract_v<IServiceComponent> &&
              std::is_abstract_v<IServiceIdentification>);

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
