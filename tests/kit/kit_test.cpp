// What ships passes every conformance test, and who lies fails on the right one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "autoarchive/kit/conformance.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Subject subject_of(const std::string& plugin) {
  Subject subject;
  const bool ships = plugin.starts_with("tar-");
  subject.plugin = fs::path(ships ? AA_PLUGIN_DIR : AA_FIXTURE_DIR) / (plugin + ".so");
  subject.companions = {AA_PLUGIN_DIR};
  return subject;
}

struct Case {
  std::string plugin;
  const ConformanceTest* test;
};
std::ostream& operator<<(std::ostream& out, const Case& value) {
  return out << value.plugin << " " << value.test->group << "/" << value.test->name;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* plugin : {"tar-internal", "tar-external", "honest"}) {
    for (const auto& test : conformance_tests()) cases.push_back({plugin, &test});
  }
  return cases;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  auto name = info.param.plugin + "_" + std::string(info.param.test->group) + "_" + std::string(info.param.test->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Shipped : public ::testing::TestWithParam<Case> {};

TEST_P(Shipped, KeepsItsObligation) {
  const auto verdict = run_isolated(*GetParam().test, subject_of(GetParam().plugin));
  if (verdict.outcome == Outcome::skip) GTEST_SKIP() << verdict.text;
  EXPECT_FALSE(is_failure(verdict.outcome)) << to_string(verdict.outcome) << ": " << verdict.text;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Shipped, ::testing::ValuesIn(all_cases()), name_of);

/// "fail: text" of one test.
std::string verdict_of(const std::string& plugin, std::string_view name, std::chrono::seconds limit) {
  auto subject = subject_of(plugin);
  subject.time_limit = limit;
  for (const auto& test : conformance_tests()) {
    if (test.name != name) continue;
    const auto verdict = run_isolated(test, subject);
    return std::string(to_string(verdict.outcome)) + ": " + verdict.text;
  }
  return "there is no such test";
}

struct Lie {
  const char* plugin;
  const char* test;
  const char* verdict;
};

TEST(Liars, FailOnTheRightTest) {
  for (const auto& lie :
       {Lie{"liar_about_levels", "types-are-as-declared", "fail: liar liar: other features than the note declares"},
        Lie{"liar_about_readers", "types-are-as-declared", "pass: "},
        Lie{"liar_about_readers", "archives-come-back-as-declared",
            "fail: liar liar: no reader here knows what it makes"},
        Lie{"liar_about_readers", "damage-is-found-as-declared", "fail: liar liar: no reader here knows what it makes"},
        Lie{"liar_about_readers", "metadata-come-back-as-declared",
            "fail: liar liar: no reader here knows what it makes"},
        Lie{"liar_about_types", "types-are-as-declared", "fail: liar: declares the type 'zip' and does not have it"},
        Lie{"liar_that_leaks", "leaves-nothing-behind", "fail: open descriptors: "},
        Lie{"liar_that_swallows", "full-disk", "fail: liar liar: the archive could not be written, and no error"},
        Lie{"liar_that_cuts", "sizes-around-blocks", "fail: "},
        Lie{"liar_that_crashes", "sizes-around-blocks", "crash: its process ended by signal"},
        Lie{"not_declared", "note-equals-code", "fail: AA-P605"}, Lie{"throws", "note-equals-code", "fail: AA-P604"},
        Lie{"throwing_constructor", "note-equals-code", ""}, Lie{"bad_id", "passes-all-gates", "fail: AA-P304"},
        Lie{"good", "exports-one-symbol", "fail: it exports more than its entry"}}) {
    EXPECT_THAT(verdict_of(lie.plugin, lie.test, std::chrono::seconds(120)), HasSubstr(lie.verdict)) << lie.plugin;
  }
}

TEST(Liars, DoNotHoldUpTheHarness) {
  EXPECT_EQ(verdict_of("liar_that_hangs", "empty-tree", std::chrono::seconds(2)), "timeout: not done within 2 s");
}

TEST(ConformanceTests, HaveNamesOfTheirOwn) {
  std::map<std::string_view, int> names;
  for (const auto& test : conformance_tests()) ++names[test.name];
  for (const auto& [name, count] : names) EXPECT_EQ(count, 1) << name;
}

}  // namespace
}  // namespace autoarchive::kit
