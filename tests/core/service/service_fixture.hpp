/// \file
/// A service that is simple enough to see through: its providers greet.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive::test {

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

class Other final : public IOther {
 public:
  explicit Other(const ProviderArguments& /*arguments*/) {}
};

/// One accessor, and a service of which each greeter may be a provider.
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

}  // namespace autoarchive::test
