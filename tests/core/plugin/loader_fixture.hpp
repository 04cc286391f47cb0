/// \file
/// A loader with a folder of plugins: real shared libraries, one broken one a refusal.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/plugin/loader.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::test {

/// The codes and texts of all that is not loaded, a line each.
inline std::string text_of(const std::vector<PluginReport>& reports) {
  std::string text;
  for (const auto& report : reports) {
    for (const auto& refusal : report.refusals) {
      EXPECT_NE(refusal.remedy, "");
      text += refusal.code + " " + refusal.text + "\n";
    }
  }
  return text;
}

class LoaderTest : public ::testing::Test {
 protected:
  void put(const std::string& fixture, const std::string& name = "") const {
    std::filesystem::copy_file(std::filesystem::path(AA_FIXTURE_DIR) / (fixture + ".so"),
                               plugins_ / ((name.empty() ? fixture : name) + ".so"));
  }
  /// Looks into these, and allows everything.
  static PluginPolicy policy_for(std::vector<PluginDirectory> directories) {
    PluginPolicy policy;
    policy.directories = std::move(directories);
    return policy;
  }
  [[nodiscard]] PluginPolicy here() const { return policy_for({{plugins_, ""}}); }
  const std::vector<PluginReport>& load(const PluginPolicy& policy) {
    loader_.load(policy);
    return loader_.reports();
  }
  const std::vector<PluginReport>& load() { return load(here()); }
  /// The codes with which the only plugin is refused; nothing is registered then.
  std::vector<std::string> codes(const std::string& fixture) {
    put(fixture);
    std::vector<std::string> found;
    for (const auto& refusal : load().front().refusals) {
      found.push_back(refusal.code);
      EXPECT_NE(refusal.text, "");
      EXPECT_NE(refusal.remedy, "");
    }
    EXPECT_EQ(loader_.reports().front().state, PluginState::refused);
    EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
    return found;
  }

  TempDir directory_;
  std::filesystem::path plugins_ = directory_.make("plugins");
  ApplicationContext context_{{"test", {}, {}}, nullptr, nullptr};
  ServiceAccessor accessor_;
  PluginLoader loader_{context_, accessor_};
};

}  // namespace autoarchive::test
