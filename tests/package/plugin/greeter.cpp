// A plugin as a stranger writes it: a service of its own with one provider. std::regex is here for its unique symbols,
// which must not get out of the library.
#include <autoarchive/base/error.hpp>
#include <autoarchive/plugin/sdk.hpp>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <typeindex>

namespace {

using namespace autoarchive;

class Greeter final : public IService {
 public:
  explicit Greeter(const ProviderArguments& arguments)
      : greeting_(std::regex_replace(arguments.work_dir.string(), std::regex("[^a-z]"), "")) {}

 private:
  std::string greeting_;
};

class GreeterIdentification final : public IProviderIdentification {
 public:
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "greeter"; }
};

class GreetingIdentification final : public IServiceIdentification {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "greeting"; }
  [[nodiscard]] std::type_index interface() const noexcept override { return typeid(IService); }
  [[nodiscard]] std::type_index provider_identification_interface() const noexcept override {
    return typeid(IProviderIdentification);
  }
  [[nodiscard]] bool accepts(const IProviderIdentification& identification) const noexcept override {
    return dynamic_cast<const GreeterIdentification*>(&identification) != nullptr;
  }
};

class GreeterComponent final : public IServiceComponent {
 public:
  GreeterComponent(ApplicationContext& /*context*/, ServiceAccessor& accessor)
      : accessor_(accessor),
        registered_(accessor.register_service(GreetingIdentification(), provider_class<Greeter, IService>(),
                                              std::make_shared<GreeterIdentification>())) {}
  void destroy_services() override {
    if (!accessor_.unregister(registered_)) throw Error(ErrorCode::key_error, "the greeter is taken back already");
  }

 private:
  ServiceAccessor& accessor_;
  ServiceAccessor::RegistrationId registered_;
};

}  // namespace

AA_PLUGIN(GreeterComponent, "provider.greeter.service=greeting\n")
