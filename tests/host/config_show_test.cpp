// `aa config show`: every value of a run, and who has given it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "application_fixture.hpp"
#include "command_line.hpp"
#include "config/config.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;

class ConfigShowTest : public ApplicationTest {};

TEST_F(ConfigShowTest, ShowsEveryValueOfTheRunWithItsOrigin) {
  const auto file = (directory_ / "config/autoarchive/config.yaml").native();
  configure(
      "version: 1\nstate_dir: /s\njobs: 3\nnice: 5\nionice: idle\nhooks: [{at: before_all, run: "
      "[/bin/true]}]\nplugins:\n"
      "  directories: [" +
      directory_.path().native() +
      "]\n  allow: [a]\n  deny: [d]\n  pins: {p: {file: /p.so}}\n"
      "  dev_overrides: {o: /o.so}\n  environment_path: true\n"
      "  settings: {tar-external: {priority: 5, enabled: false, required: false, options: {tar: /usr/bin/tar, key: "
      "\"${env:KEY}\"}}}\n");
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  for (const std::string& line :
       std::vector<std::string>{"jobs: 3  # " + file + ":3:7", "nice: 5  # " + file + ":4:7",
                                "ionice: idle  # " + file + ":5:9", "# " + file + ":6:8",
                                "plugins.allow: ['a']  # " + file + ":9:10", "plugins.deny: ['d']  # " + file + ":10:9",
                                "plugins.pins: ['p': {file: '/p.so', sha256: ''}]  # " + file + ":11:9",
                                "plugins.dev_overrides: ['o': '/o.so']  # " + file + ":12:18",
                                "plugins.environment_path: true  # " + file + ":13:21",
                                "plugins.settings.tar-external.priority: 5  # " + file + ":14:39",
                                "plugins.settings.tar-external.enabled: false  # " + file + ":14:",
                                "plugins.settings.tar-external.required: false  # " + file + ":14:",
                                "plugins.settings.tar-external.options.tar: (set)  # " + file + ":14:",
                                "plugins.settings.tar-external.options.key: ${env:KEY}  # " + file + ":14:"})
    EXPECT_THAT(out_, HasSubstr(line));
  EXPECT_THAT(out_, HasSubstr("plugins.directories: ['" + directory_.path().native() + "']  # " + file + ":8:16"));
  EXPECT_THAT(out_, HasSubstr("state_dir: " + (directory_ / "state").native() + "  # environment AA_STATE_DIR"));
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # built-in"));
  environment_.erase("AA_STATE_DIR");
  environment_["AA_CONFIG"] = file;
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # environment AA_CONFIG"));
  environment_.erase("AA_CONFIG");
  EXPECT_EQ(run({"config", "show", "-c", file}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # command line"));
  EXPECT_THAT(out_, HasSubstr("state_dir: /s  # " + file + ":2:12"));
  configure("version: 1\nplugins: {settings: {tar-external: {priority: 5}}}\n");
  environment_["XDG_STATE_HOME"] = directory_ / "xdg";
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_,
              HasSubstr("state_dir: " + (directory_ / "xdg/autoarchive").native() + "  # environment XDG_STATE_HOME"));
  for (const char* key :
       {"jobs: 1", "nice: as it is", "ionice: as it is", "hooks: []", "plugins.directories: []", "plugins.allow: []",
        "plugins.deny: []", "plugins.pins: []", "plugins.dev_overrides: []", "plugins.environment_path: false",
        "plugins.settings.tar-external.enabled: true", "plugins.settings.tar-external.required: false"})
    EXPECT_THAT(out_, HasSubstr(std::string(key) + "  # built-in"));
}

TEST_F(ConfigShowTest, ShowsWhatTheCommandLineAndTheEnvironmentGive) {
  configure("version: 1\narchives: {a: {root: /r, destination: /d, strength: 7}}\n");
  ASSERT_EQ(::setenv("AA_TYPE", "tar.xz", 1), 0);
  ASSERT_EQ(::setenv("AA_STRENGTH", "3", 1), 0);
  ASSERT_EQ(::setenv("AA_PROGRESS", "plain", 1), 0);
  ASSERT_EQ(::setenv("AA_LOCK_WAIT", "3s", 1), 0);
  EXPECT_EQ(run({"config", "show", "a", "--strength=4", "--root", "/other", "--exclude", "x", "--incremental", "-vv",
                 "--lock-wait", "5s", "--json"}),
            0);
  ::unsetenv("AA_TYPE");
  ::unsetenv("AA_STRENGTH");
  ::unsetenv("AA_PROGRESS");
  ::unsetenv("AA_LOCK_WAIT");
  const auto has = [&](const std::string& key, const std::string& value, const std::string& origin) {
    EXPECT_THAT(out_, HasSubstr("\"" + key + "\":{\"value\":\"" + value + "\",\"origin\":\"" + origin + "\"}"));
  };
  has("type", "tar.xz", "environment AA_TYPE");
  has("strength", "4", "command line");
  has("root", "/other", "command line");
  has("exclude", "['x']", "command line");
  has("incremental", "true", "command line");
  has("provider", "auto", "built-in");
  has("progress", "plain", "environment AA_PROGRESS");
  has("lock-wait", "5s", "command line");
  has("verbose", "2", "command line");
  has("json", "1", "command line");
  has("quiet", "0", "built-in");
  has("color", "auto", "built-in");
}

TEST_F(ConfigShowTest, ShowsWhatAFlagIsSetToAndByWhom) {
  ASSERT_EQ(::setenv("AA_DRY_RUN", "false", 1), 0);
  ASSERT_EQ(::setenv("AA_VERBOSE", "2", 1), 0);
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("dry-run: 0  # environment AA_DRY_RUN"));
  EXPECT_THAT(out_, HasSubstr("verbose: 2  # environment AA_VERBOSE"));
  EXPECT_EQ(run({"config", "show", "-vn"}), 0) << err_;
  ::unsetenv("AA_DRY_RUN");
  ::unsetenv("AA_VERBOSE");
  EXPECT_THAT(out_, HasSubstr("dry-run: 1  # command line"));
  EXPECT_THAT(out_, HasSubstr("verbose: 1  # command line"));
}

TEST_F(ConfigShowTest, ShowsEachOptionAndEachKeyOfTheReference) {
  configure(config_example());
  EXPECT_EQ(run({"config", "show", "--json"}), 0) << err_;
  for (const auto& option : describe_command_line().options) {
    const auto name = option.names.front().substr(2);
    if (name == "help" || name == "version") continue;
    EXPECT_THAT(out_, HasSubstr("\"" + name + "\":{\"value\":"));
  }
  // A row of the reference begins with the key, but for groups of which each key has a row below it.
  std::istringstream lines(config_reference());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto key = line.substr(3, line.find('`', 3) - 3);
    if (key == "extends" || key == "plugins.settings") continue;
    EXPECT_THAT(out_, HasSubstr("\"" + key + "\":{\"value\":"));
  }
}

TEST_F(ConfigShowTest, ShowsEffectiveValuesWithTheirOrigin) {
  configure("version: 1\narchives: {a: {root: /r, destination: /d, strength: 7}}\n");
  EXPECT_EQ(run({"config", "show"}), 0);
  EXPECT_THAT(out_, HasSubstr("strength: 7  # " + (directory_ / "config/autoarchive/config.yaml").native() + ":2:"));
  EXPECT_THAT(out_, HasSubstr("type: tar.gz  # built-in"));
  EXPECT_EQ(run({"config", "check", "--file-only"}), 0);
  EXPECT_EQ(run({"help"}), 0);
  EXPECT_THAT(out_, HasSubstr("restore"));
}

}  // namespace
}  // namespace autoarchive::host
