// contract 1.3: a component brings its providers in, and takes exactly those back.
#include "autoarchive/archiver/archiver_service_component.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/tar_archiver_provider_base.hpp"
#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const TarArchiverProviderIdentification> named(const std::string& id) {
  return std::make_shared<TarArchiverProviderIdentification>(
      id, TarArchiverProviderIdentification::FeaturesByType{{backup_type::kTar, {}}});
}

template <int kNumber>
class Archiver final : public TarArchiverProviderBase {
 public:
  explicit Archiver(const ProviderArguments& arguments) : TarArchiverProviderBase(*named("unused"), arguments) {}

 private:
  void write_archive(BackupJob& /*job*/) override {}
};

/// Brings in "first" and "second".
class Component final : public ArchiverServiceComponent {
 public:
  Component(ApplicationContext& context, ServiceAccessor& accessor) : ArchiverServiceComponent(context, accessor) {
    add(ArchiverServiceIdentification(), provider_class<Archiver<1>, IArchiver>(), named("first"));
    add(ArchiverServiceIdentification(), provider_class<Archiver<2>, IArchiver>(), named("second"));
  }
};

class ArchiverServiceComponentTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> registered() const {
    std::vector<std::string> ids;
    if (!accessor_.is_registered(service_)) return ids;
    for (const auto& id : accessor_.providers_identifications(service_)) ids.emplace_back(id->provider_id());
    return ids;
  }

  ArchiverServiceIdentification service_;
  ApplicationContext context_{{"test", {}, {}}, nullptr, nullptr};
  ServiceAccessor accessor_;
};

ErrorCode code_of_destroying(Component& component) {
  try {
    component.destroy_services();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::runtime_error;
}

TEST_F(ArchiverServiceComponentTest, RegistersItsProvidersInOrderAndTakesThemBackOnce) {
  Component component(context_, accessor_);
  EXPECT_THAT(registered(), ElementsAre("first", "second"));
  component.destroy_services();
  EXPECT_FALSE(accessor_.is_registered(service_));
  EXPECT_EQ(code_of_destroying(component), ErrorCode::key_error);
}

TEST_F(ArchiverServiceComponentTest, LeavesTheProvidersOfAnotherComponentOfTheSameIds) {
  Component component(context_, accessor_);
  accessor_.unregister_service(service_);
  Component another(context_, accessor_);
  EXPECT_EQ(code_of_destroying(component), ErrorCode::key_error);  // its own were gone already
  EXPECT_THAT(registered(), ElementsAre("first", "second"));
  another.destroy_services();
  EXPECT_FALSE(accessor_.is_registered(service_));
}

TEST_F(ArchiverServiceComponentTest, TakesTheOthersBackWhenOneIsGone) {
  Component component(context_, accessor_);
  accessor_.unregister_provider(service_, named("second").get());
  EXPECT_EQ(code_of_destroying(component), ErrorCode::key_error);
  EXPECT_FALSE(accessor_.is_registered(service_));
}

}  // namespace
}  // namespace autoarchive
