// Registrations that come together, or not at all.
#include <thread>

#include "service_fixture.hpp"

namespace autoarchive {
namespace {

using namespace test;  // the greeters

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ServiceStagingTest : public ServiceAccessorTest {};

TEST_F(ServiceStagingTest, RefusesAStagedServiceOfTheSameNameWithAnotherInterface) {
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

TEST_F(ServiceStagingTest, TakesBackWhatIsStaged) {
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

TEST_F(ServiceStagingTest, TakesBackWhatWasThereBeforeTheStagingAsWell) {
  add("polite", provider_class<Polite, IGreeter>());
  ServiceAccessor::Staging staging(accessor_);
  add("rude", provider_class<Rude, IGreeter>());
  const GreeterId polite("polite");
  accessor_.unregister_provider(service_, &polite);
  staging.commit();
  EXPECT_EQ(get("rude")->greeting(), "what");
  EXPECT_EQ(code_of([&] { static_cast<void>(get("polite")); }), ErrorCode::key_error);
}

TEST_F(ServiceStagingTest, RegistersAllOrNothingWhenStaged) {
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

}  // namespace
}  // namespace autoarchive
