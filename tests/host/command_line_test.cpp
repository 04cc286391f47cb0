#include "command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheVerb) {
  for (const auto& words : {std::vector<std::string>{"--json", "-q", "list", "home"},
                            std::vector<std::string>{"list", "home", "-q", "--json"}}) {
    const auto line = parse_command_line(words);
    EXPECT_TRUE(line.options.json);
    EXPECT_EQ(line.options.verbosity, Verbosity::quiet);
    EXPECT_THAT(std::get<ListCommand>(line.command).archives, ElementsAre("home"));
  }
}

TEST(CommandLine, ReadsCreate) {
  const auto line = parse_command_line({"create", "a", "--root", "/r", "--destination", "/d", "--exclude", "x",
                                        "--exclude", "y", "--level", "2", "-vv"});
  const auto& create = std::get<CreateCommand>(line.command);
  EXPECT_EQ(create.overrides.root, "/r");
  EXPECT_THAT(create.overrides.exclude, ElementsAre("x", "y"));
  EXPECT_EQ(create.level, 2);
  EXPECT_EQ(line.options.verbosity, Verbosity::very_verbose);
  EXPECT_FALSE(std::get<CreateCommand>(parse_command_line({"create", "a", "--level", "next"}).command).level);
}

TEST(CommandLine, TakesOneValueForEachUseOfARepeatableOption) {
  const auto line = parse_command_line({"create", "--include", "x", "--exclude", "y", "--plugin-dir", "/p", "home"});
  const auto& create = std::get<CreateCommand>(line.command);
  EXPECT_THAT(create.archives, ElementsAre("home"));
  EXPECT_THAT(create.overrides.include, ElementsAre("x"));
  EXPECT_THAT(create.overrides.exclude, ElementsAre("y"));
  EXPECT_EQ(line.options.plugin_directories.size(), 1U);
}

TEST(CommandLine, ReadsTargetsAndActions) {
  const auto restore = std::get<RestoreCommand>(
      parse_command_line({"restore", "home@2.aa", "etc/passwd", "--to", "/t", "--overwrite", "newer"}).command);
  EXPECT_EQ(restore.target.archive, "home");
  EXPECT_EQ(restore.target.selector, "2.aa");
  EXPECT_THAT(restore.paths, ElementsAre("etc/passwd"));
  EXPECT_EQ(std::get<ConfigCommand>(parse_command_line({"config", "schema"}).command).action, "schema");
  EXPECT_TRUE(std::holds_alternative<HelpCommand>(parse_command_line({}).command));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse_command_line({"--version"}).command));
  EXPECT_NE(std::get<HelpCommand>(parse_command_line({"create", "--help"}).command).text.find("--overwrite-at-start"),
            std::string::npos);
}

TEST(CommandLine, RefusesNonsenseAsAUsageError) {
  for (const auto& words :
       {std::vector<std::string>{"frobnicate"}, std::vector<std::string>{"restore", "a"},
        std::vector<std::string>{"create", "--level", "x", "a"}, std::vector<std::string>{"list", "--progress", "loud"},
        std::vector<std::string>{"list", "--lock-wait", "soon"},
        std::vector<std::string>{"create", "a", "--strength", "many"}, std::vector<std::string>{"plugins"}}) {
    try {
      static_cast<void>(parse_command_line(words));
      ADD_FAILURE() << words.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::usage) << error.what();
    }
  }
}

}  // namespace
}  // namespace autoarchive::host
