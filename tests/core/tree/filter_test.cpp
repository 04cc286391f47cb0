#include "autoarchive/tree/filter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "autoarchive/base/error.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

Filter filter(std::vector<std::string> patterns) {
  FilterRules rules;
  rules.exclude = std::move(patterns);
  return Filter(std::move(rules));
}

TEST(Filter, TakesTheLastMatchAndNamesIt) {
  const auto rules = filter({"*.tmp", "!keep.tmp", "/alice/old"});
  EXPECT_TRUE(rules.decide("x/a.tmp", false).excluded);
  EXPECT_EQ(rules.decide("x/a.tmp", false).rule, "exclude[0] '*.tmp'");
  EXPECT_FALSE(rules.decide("x/keep.tmp", false).excluded);
  EXPECT_TRUE(rules.decide("alice/old", true).excluded);
  EXPECT_FALSE(rules.decide("bob/alice/old", true).excluded);
}

TEST(Filter, ExcludesWhatIsBelowAnExcludedDirectory) {
  EXPECT_TRUE(filter({"cache/"}).decide_with_parents("a/cache/x", false).excluded);
  EXPECT_FALSE(filter({"cache/"}).decide_with_parents("a/cache", false).excluded);
}

// contract 5: exclude files are literal, with everything below them.
TEST(Filter, TakesLiteralPathsWithoutWildcards) {
  FilterRules rules;
  rules.exclude_paths = {"./a*b/", "c"};
  const Filter literal(rules);
  EXPECT_TRUE(literal.decide("a*b", true).excluded);
  EXPECT_FALSE(literal.decide("axb", true).excluded);
  EXPECT_TRUE(literal.decide_with_parents("c/d", false).excluded);
  EXPECT_FALSE(literal.decide("d/c", false).excluded);
}

TEST(Filter, RefusesPathsOutsideOfTheRoot) {
  FilterRules rules;
  rules.exclude_paths = {"../x"};
  EXPECT_THROW(Filter{rules}, Error);
}

TEST(Filter, NeedsLinearTimeForAnyPattern) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  // A matcher that backtracks would not come back from this one.
  EXPECT_FALSE(filter({pattern + "b", "x/" + pattern + "b"}).decide(std::string(4000, 'a'), false).excluded);
}

/// Compares with git itself: one repository, one check-ignore call a pattern list.
class GitComparison : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::run_shell("git --version").status != 0) GTEST_SKIP() << "git is not installed";
    const auto made = test::run_shell("git init -q " + test::shell_quote(directory_.path()));
    ASSERT_EQ(made.status, 0) << made.output;
  }

  /// The paths that git ignores.
  std::set<std::string> ignored(const std::vector<std::string>& patterns, const std::vector<std::string>& paths) {
    std::string text;
    for (const auto& pattern : patterns) text += pattern + "\n";
    test::write_file(directory_ / ".gitignore", text);
    std::string input;
    for (const auto& path : paths) input += path + '\0';
    test::write_file(directory_ / ".git" / "paths", input);
    const auto result =
        test::run_shell("cd " + test::shell_quote(directory_.path()) +
                        " && git check-ignore --no-index -z --stdin < .git/paths > .git/ignored; test $? -le 1");
    EXPECT_EQ(result.status, 0) << result.output;
    std::set<std::string> found;
    const auto output = test::read_file(directory_ / ".git" / "ignored");
    for (std::size_t at = 0; at < output.size();) {
      const auto end = output.find('\0', at);
      found.insert(output.substr(at, end - at));
      at = end + 1;
    }
    return found;
  }

  void compare(const std::vector<std::string>& patterns, const std::vector<std::string>& paths) {
    const auto expected = ignored(patterns, paths);
    const auto ours = filter(patterns);
    for (const auto& path : paths) {
      std::string all;
      for (const auto& pattern : patterns) all += "[" + pattern + "] ";
      EXPECT_EQ(ours.decide_with_parents(path, /*is_directory=*/false).excluded, expected.contains(path))
          << path << " with " << all;
    }
  }

  test::TempDir directory_;
};

TEST_F(GitComparison, AgreesOnTheCornersOfTheManual) {
  const std::vector<std::string> paths{
      "foo", "foo/bar", "a/foo",   "a/foo/bar", "foo/a/bar", "foo/a/b/bar", "foobar", "foo.c", "a/b/c", "a/c",
      "#x",  "!x",      "x ",      "a b",       "ab",        "a]b",         "a-b",    "a^b",   "a\\b",  "[ab]",
      "A",   "é",       "a/b/c/d", "b/a",       "x/y/z.tmp", "foox/bar",    "foo/x",  "a*b",   "a/x/b", "-"};
  for (const char* pattern :
       {"foo",    "/foo",       "foo/",      "foo/*",     "foo/**",      "**/foo",     "**/foo/bar",
        "a/**/c", "foo/**/bar", "foo**/bar", "**foo/bar", "**",          "/**",        "**/",
        "*",      "/*",         "*/",        "a/*",       "\\#x",        "\\!x",       "#x",
        "x\\ ",   "x ",         "a?b",       "a[b]",      "a[!b]b",      "a[^x]b",     "[a-c]",
        "[!a-c]", "a[]]b",      "a[a-]b",    "a[\\]]b",   "[[:alpha:]]", "[[:nope:]]", "[",
        "a[",     "a\\",        "a\\*b",     "*.tmp",     "x/*.tmp",     "x/**/*.tmp", "***",
        "a/***",  "[[ab]]*",    "a[/]b",     "a/[^/]/b",  "?",           "[--0]",      "\\[ab\\]"}) {
    compare({pattern}, paths);
  }
}

TEST_F(GitComparison, AgreesOnThousandsOfRandomPatternsAndPaths) {
  std::mt19937 random(20261124);
  const std::vector<std::string> pieces{"a",    "b",    "ab", "a.c", "*",   "**", "?",
                                        "[ab]", "[!a]", "*b", "a*",  "**a", "\\a"};
  const std::vector<std::string> names{"a", "b", "ab", "a.c", "c", "bb", "abb"};
  const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> patterns;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      std::string pattern = random() % 5 == 0 ? "!" : "";
      if (random() % 4 == 0) pattern += "/";
      for (unsigned j = 0; j < 1 + random() % 3; ++j) pattern += (j == 0 ? "" : "/") + pick(pieces);
      if (random() % 4 == 0) pattern += "/";
      patterns.push_back(pattern);
    }
    std::set<std::string> paths;
    while (paths.size() < 60) {
      std::string path = pick(names);
      for (unsigned j = 0; j < random() % 4; ++j) path += "/" + pick(names);
      paths.insert(path);
    }
    compare(patterns, {paths.begin(), paths.end()});
  }
}

}  // namespace
}  // namespace autoarchive
