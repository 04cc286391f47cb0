/// \file
/// What a component learns about the program that it runs in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

class IStorage;

/// How the program was started. Read-only.
class AA_EXPORT AppEnvironment {
 public:
  using Options = std::vector<std::pair<std::string, std::string>>;
  AppEnvironment(std::string executable_name, Options options, std::vector<std::string> arguments);

  [[nodiscard]] const std::string& executable_name() const noexcept { return executable_name_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }

 private:
  std::string executable_name_;
  Options options_;
  std::vector<std::string> arguments_;
};

/// Settings by name; implemented by the program. Thread-safe.
class AA_EXPORT IConfiguration {
 public:
  IConfiguration() = default;
  IConfiguration(const IConfiguration&) = delete;
  IConfiguration& operator=(const IConfiguration&) = delete;
  virtual ~IConfiguration();
  /// The value of a dotted key, e.g. "plugins.settings.tar-external.options.tar"; none if it is not set.
  [[nodiscard]] virtual std::optional<std::string> value(std::string_view key) const = 0;
};

/// Three read-only properties. Configuration and storage may be null; all must outlive every component.
class AA_EXPORT ApplicationContext {
 public:
  ApplicationContext(AppEnvironment environment, const IConfiguration* configuration, IStorage* storage);

  [[nodiscard]] const AppEnvironment& app_environment() const noexcept { return environment_; }
  [[nodiscard]] const IConfiguration* configuration() const noexcept { return configuration_; }
  [[nodiscard]] IStorage* storage() const noexcept { return storage_; }

 private:
  AppEnvironment environment_;
  const IConfiguration* configuration_;
  IStorage* storage_;
};

}  // namespace autoarchive
