/// \file
/// The conformance tests as cases of GoogleTest:
///
///     int main(int argc, char** argv) {
///       testing::InitGoogleTest(&argc, argv);
///       autoarchive::kit::register_conformance_tests({"build/plugins/zip.so"});
///       return RUN_ALL_TESTS();
///     }
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "autoarchive/kit/conformance.hpp"

namespace autoarchive::kit {

/// One case, "Conformance.truth_types-are-as-declared".
class ConformanceCase : public testing::Test {
 public:
  ConformanceCase(const ConformanceTest& test, Subject subject) : test_(test), subject_(std::move(subject)) {}
  void TestBody() override {
    const auto verdict = run_isolated(test_, subject_);
    if (verdict.outcome == Outcome::skip) GTEST_SKIP() << verdict.text;
    if (is_failure(verdict.outcome))
      FAIL() << test_.obligation << " " << to_string(verdict.outcome) << ": " << verdict.text;
    if (verdict.outcome == Outcome::warn) RecordProperty("warning", verdict.text);
  }

 private:
  const ConformanceTest& test_;
  Subject subject_;
};

/// Call it once, before RUN_ALL_TESTS().
inline void register_conformance_tests(const Subject& subject) {
  for (const auto& test : conformance_tests()) {
    const auto name = std::string(test.group) + "_" + std::string(test.name);
    testing::RegisterTest("Conformance", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&test, subject]() -> testing::Test* { return new ConformanceCase(test, subject); });
  }
}

}  // namespace autoarchive::kit
