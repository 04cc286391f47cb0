#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "autoarchive/base/error.hpp"
#include "config/archive_keys.hpp"
#include "config/yaml_tree.hpp"
#include "events/problem_ids.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  Config read(const std::string& text) {
    test::write_file(directory_ / "config.yaml", text);
    return read_config({directory_ / "config.yaml", {{"HOME", "/home/me"}}, false});
  }
  std::string fault(const std::string& text) {
    try {
      static_cast<void>(read(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::configuration);
      auto message = error.message();
      for (auto at = message.find(directory_.path().native()); at != std::string::npos;
           at = message.find(directory_.path().native())) {
        message.erase(at, directory_.path().native().size() + 1);
      }
      return message;
    }
    return "nothing";
  }
  test::TempDir directory_;
};

TEST_F(ConfigTest, MergesDefaultsTemplatesAndTheArchiveItself) {
  const auto config = read(R"(version: 1
state_dir: /state
defaults: {destination: /backup, type: tar.xz}
templates:
  base: {strength: 3, keep: {generations: 4}}
  chain: {extends: base, incremental: true, strength: 5}
archives:
  home: {extends: chain, root: /home, include: [./bob, alice], keep: {generations: 2}}
  etc: {root: /etc}
)");
  const auto& home = config.archives.at("home");
  EXPECT_EQ(home.destination, "/backup");
  EXPECT_EQ(home.type, "tar.xz");
  EXPECT_EQ(home.strength, 5);
  EXPECT_TRUE(home.incremental);
  EXPECT_EQ(home.keep.generations, 2);
  EXPECT_THAT(home.include, ElementsAre("alice", "bob"));
  EXPECT_EQ(home.origins.at("strength").line, 6);
  EXPECT_FALSE(config.archives.at("etc").incremental);
  EXPECT_EQ(config.state_dir, "/state");
}

TEST_F(ConfigTest, TakesPartsOfPathsFromTheEnvironment) {
  ::setenv("AA_TEST_DISK", "disk1", 1);
  const auto config =
      read("version: 1\narchives: {a: {root: '/mnt/${AA_TEST_DISK}/x', destination: '/d/$${AA_TEST_DISK}'}}\n");
  EXPECT_EQ(config.archives.at("a").root, "/mnt/disk1/x");
  EXPECT_EQ(config.archives.at("a").destination, "/d/${AA_TEST_DISK}");
  ::unsetenv("AA_TEST_DISK");
  EXPECT_THAT(fault("version: 1\narchives: {a: {root: '/mnt/${AA_TEST_DISK}', destination: /d}}\n"),
              HasSubstr("config.yaml:2:22: environment variable 'AA_TEST_DISK' is not set"));
  EXPECT_THAT(fault("version: 1\narchives: {a: {root: '/mnt/${AA', destination: /d}}\n"), HasSubstr("without"));
}

TEST_F(ConfigTest, NamesThePlaceAndTheNearestKey) {
  EXPECT_EQ(fault("version: 1\narchives:\n  a:\n    root: /r\n    destination: /d\n    exlcude: [x]\n"),
            "config.yaml:6:5: unknown key 'exlcude'; did you mean exclude?");
  EXPECT_THAT(fault("version: 1\narchives:\n  a: {root: /r, destination: /d, keep: {generation: 1}}\n"),
              HasSubstr("config.yaml:3:41: unknown key 'generation'; did you mean generations?"));
  EXPECT_THAT(fault("version: 1\narchive: {}\n"),
              HasSubstr("config.yaml:2:1: unknown key 'archive'; did you mean archives?"));
}

TEST_F(ConfigTest, TellsAllFaultsAtOnce) {
  EXPECT_EQ(fault("version: 2\narchives:\n  a: {root: relative, destination: /d, strength: 11, incremental: yes}\n"),
            "config.yaml:1:10: version has to be 1, and is '2'\n"
            "config.yaml:3:13: path 'relative' has to be absolute, e.g. '/home'\n"
            "config.yaml:3:50: strength has to be an integer from 0 to 9, and is '11'\n"
            "config.yaml:3:67: incremental has to be true or false, and is 'yes'\n"
            "config.yaml:3:6: archive 'a' has no root");
}

TEST_F(ConfigTest, RefusesEverythingAmbiguousInYaml) {
  EXPECT_THAT(fault("version: 1\nversion: 1\n"),
              HasSubstr("config.yaml:2:1: key 'version' is there twice, first in line 1"));
  EXPECT_THAT(fault("version: &a 1\nstate_dir: *a\n"), HasSubstr("anchors are not allowed"));
  EXPECT_THAT(fault("version: 1\n---\nversion: 1\n"), HasSubstr("a second document begins here"));
  EXPECT_THAT(fault("version: !!int 1\n"), HasSubstr("is not allowed"));
  EXPECT_THAT(fault("version: 1\nstate_dir: \"a\x01\"\n"), HasSubstr("config.yaml:2:14: a control character"));
  EXPECT_THAT(fault("version: 1\n# \xff\n"), HasSubstr("config.yaml:2:1: this line is not UTF-8"));
  EXPECT_THAT(fault("version: [1\n"), HasSubstr("not YAML"));
  EXPECT_THAT(fault("version: 1\nx: " + std::string(70, '[') + std::string(70, ']') + "\n"),
              HasSubstr("more than 64 levels"));
  EXPECT_THAT(fault(std::string((1U << 20U) + 1, ' ')), HasSubstr("more than 1 MiB"));
  EXPECT_THAT(fault(""), HasSubstr("version: 1"));
  EXPECT_THAT(fault("version: '1'\n"), HasSubstr("version has to be 1"));  // text is no number
}

TEST_F(ConfigTest, RefusesTemplatesThatAreMissingOrCircular) {
  EXPECT_THAT(fault("version: 1\ntemplates: {chain: {}}\narchives: {a: {extends: chian, root: /r, destination: /d}}\n"),
              HasSubstr("there is no template 'chian'; did you mean chain?"));
  EXPECT_THAT(fault("version: 1\ntemplates: {a: {extends: b}, b: {extends: a}}\narchives: {x: {extends: a, root: /r, "
                    "destination: /d}}\n"),
              HasSubstr("extends itself"));
}

TEST_F(ConfigTest, RefusesArchiveNamesThatCouldLeaveTheDestination) {
  EXPECT_THAT(fault("version: 1\narchives: {../x: {root: /r, destination: /d}}\n"),
              HasSubstr("config.yaml:2:12: archive name '../x'"));
}

TEST_F(ConfigTest, ReadsArchivesFromTheFolderBesideIt) {
  test::write_file(directory_ / "archives.d/b.yaml", "version: 1\narchives: {b: {root: /b, destination: /d}}\n");
  EXPECT_EQ(read("version: 1\narchives: {a: {root: /a, destination: /d}}\n").archives.size(), 2U);
  test::write_file(directory_ / "archives.d/c.yaml", "version: 1\narchives: {a: {root: /b, destination: /d}}\n");
  EXPECT_THAT(fault("version: 1\narchives: {a: {root: /a, destination: /d}}\n"), HasSubstr("'a' is defined already"));
}

TEST_F(ConfigTest, SaysThatTheFolderBesideItCantBeListed) {
  test::write_file(directory_ / "archives.d", "not a folder");
  EXPECT_THAT(fault("version: 1\n"), HasSubstr("archives.d': Not a directory"));
}

TEST_F(ConfigTest, DoesNotFallBackWhenTheFileOfTheUserCantBeLookedAt) {
  std::filesystem::create_symlink("autoarchive", directory_ / "autoarchive");
  EXPECT_THROW(static_cast<void>(read_config({{}, {{"XDG_CONFIG_HOME", directory_.path()}}, false})), Error);
}

TEST_F(ConfigTest, IsEmptyWithoutAFileAndRefusesWhatIsNone) {
  EXPECT_TRUE(
      read_config({{}, {{"XDG_CONFIG_HOME", directory_.path()}, {"HOME", "/nonexistent"}}, false}).archives.empty());
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(static_cast<void>(read_config({directory_ / "fifo", {}, false})), Error);
  EXPECT_THROW(static_cast<void>(read_config({directory_ / "missing", {}, false})), Error);
}

TEST_F(ConfigTest, RefusesAsRootWhatOthersCouldHaveWritten) {
  test::write_file(directory_ / "config.yaml", "version: 1\n");
  ::chmod((directory_ / "config.yaml").c_str(), 0666);
  EXPECT_THROW(static_cast<void>(read_config({directory_ / "config.yaml", {}, true})), Error);
}

TEST_F(ConfigTest, ReadsItsOwnExampleWithEveryKey) {
  const auto config = read(config_example());
  const auto& home = config.archives.at("home");
  for (const auto& key : archive_keys())
    EXPECT_TRUE(key.name == "extends" || home.origins.contains(std::string(key.name))) << key.name;
  EXPECT_EQ(show_archive(home).size() + 1, archive_keys().size());
}

TEST(ConfigDocuments, AreWhatTheTableOfKeysMakes) {
  const std::filesystem::path source(AA_SOURCE_DIR);
  EXPECT_EQ(test::read_file(source / "config/default.yaml"), config_example())
      << "run: aa config example > config/default.yaml";
  EXPECT_EQ(test::read_file(source / "config/autoarchive.schema.json"), config_schema())
      << "run: aa config schema > config/autoarchive.schema.json";
  EXPECT_EQ(test::read_file(source / "docs/config-reference.md"), config_reference())
      << "run: aa config reference > docs/config-reference.md";
  EXPECT_EQ(test::read_file(source / "docs/problems.md"), problem_reference())
      << "run: aa config problems > docs/problems.md";
}

TEST(ConfigDocuments, AllShippedFilesLoad) {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(AA_SOURCE_DIR) / "config")) {
    if (file.path().extension() != ".yaml") continue;
    ++files;
    EXPECT_FALSE(read_config({file.path(), {}, false}).archives.empty()) << file.path();
  }
  EXPECT_GE(files, 4);
}

}  // namespace
}  // namespace autoarchive::host
