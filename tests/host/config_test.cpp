#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

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
  ::setenv("AA_TEST_DISK", "", 1);  // it would be /mnt/x
  EXPECT_THAT(fault("version: 1\narchives: {a: {root: '/mnt/${AA_TEST_DISK}/x', destination: /d}}\n"),
              HasSubstr("config.yaml:2:22: environment variable 'AA_TEST_DISK' is empty"));
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
  EXPECT_THAT(fault("version: 1\n# \xc3\xa4 \xff\n"), HasSubstr("config.yaml:2:6: this is not UTF-8"));
  EXPECT_THAT(fault("version: 1\nstate_dir: \"/a\\0b\"\n"), HasSubstr("config.yaml:2:12: a NUL is not allowed"));
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

TEST_F(ConfigTest, RefusesAsRootWhatOthersCouldPutInItsPlace) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes files of root";
  test::write_file(directory_ / "d/config.yaml", "version: 1\n");
  static_cast<void>(read_config({directory_ / "d/config.yaml", {}, true}));
  ::chmod((directory_ / "d").c_str(), 0777);
  try {
    static_cast<void>(read_config({directory_ / "d/config.yaml", {}, true}));
    ADD_FAILURE() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("/d' could have been written by others than root"));
    EXPECT_THAT(error.message(), HasSubstr("chown root and chmod go-w it"));
  }
  ::chmod((directory_ / "d").c_str(), 01777);  // sticky: nobody can replace the file of another
  static_cast<void>(read_config({directory_ / "d/config.yaml", {}, true}));
}

TEST_F(ConfigTest, RefusesTextsOfSeveralLinesWhereOthersReadThemLineByLine) {
  EXPECT_THAT(fault("version: 1\narchives: {a: {root: /r, destination: /d, schedule: \"03:00\\nUser=x\"}}\n"),
              HasSubstr("config.yaml:2:53: schedule has to be a text, and is "));
}

// Two seconds are the promise; a loaded machine gets more here.
class HostileConfig : public ConfigTest {
 protected:
  std::string quick_fault(const std::string& text) {
    const auto begin = std::chrono::steady_clock::now();
    auto message = fault(text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_LT(message.size(), 100'000U);
    return message;
  }
  static std::string repeated(const std::string& text, std::size_t bytes = 1'000'000) {
    std::string all;
    while (all.size() + text.size() <= bytes) all += text;
    return all;
  }
  static std::string numbered(const std::string& before, const std::string& behind, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += before + std::to_string(i) + behind;
    return all;
  }
};

TEST_F(HostileConfig, IsRefusedInTimeWhateverItHasAMegabyteOf) {
  for (const auto& text : {repeated("["),          repeated("{"),
                           repeated("- "),         repeated("? "),
                           repeated("a: ["),       repeated("!"),
                           repeated("&a "),        repeated("*a "),
                           repeated("\""),         repeated("'"),
                           repeated("|\n "),       repeated("#"),
                           repeated(": "),         repeated(","),
                           repeated("%"),          repeated("\n"),
                           repeated("\t"),         repeated("--- "),
                           repeated("...\n"),      repeated("a: b\n"),
                           "a: " + repeated("b "), repeated("x", 500'000) + ": " + repeated("y", 500'000)}) {
    EXPECT_NE(quick_fault("version: 1\nx: " + text), "nothing") << text.substr(0, 10);
    EXPECT_NE(quick_fault(text), "nothing") << text.substr(0, 10);
  }
}

TEST_F(HostileConfig, TellsAHundredFaultsAndCountsTheOthers) {
  const auto keys = quick_fault("version: 1\n" + numbered("k", ": 1\n", 90'000));
  EXPECT_THAT(keys, HasSubstr("config.yaml:2:1: unknown key 'k0'"));
  EXPECT_THAT(keys, HasSubstr("\nand 89900 more"));
  EXPECT_THAT(quick_fault("version: 1\narchives:\n" + numbered("  a", ": {extends: x}\n", 40'000)), HasSubstr("more"));
  EXPECT_THAT(quick_fault("version: 1\ntemplates:\n" + numbered("  t", ": {}\n", 20'000) + "archives:\n" +
                          numbered("  a", ": {extends: x}\n", 20'000)),
              HasSubstr("there is no template 'x'"));
}

TEST_F(HostileConfig, GivesNoArchiveMoreTextThanItsFileHas) {
  const auto many = "[" + repeated("a,", 400'000) + "a]";
  const auto archives = "archives:\n" + numbered("  a", ": {extends: t, root: /r, destination: /d}\n", 8'000);
  EXPECT_THAT(quick_fault("version: 1\ntemplates: {t: {exclude: " + many + "}}\n" + archives),
              HasSubstr("the lists of all archives together have more than 1000000 items"));
  EXPECT_THAT(quick_fault("version: 1\ntemplates: {t: {}}\ndefaults: {exclude: " + many + "}\n" + archives),
              HasSubstr("the lists of all archives together have more than 1000000 items"));
  const auto long_text = "[" + std::string(500'000, 'a') + "]";
  const auto few = "archives:\n" + numbered("  a", ": {extends: t, root: /r, destination: /d}\n", 8'000);
  EXPECT_THAT(quick_fault("version: 1\ntemplates: {t: {exclude: " + long_text + "}}\n" + few),
              HasSubstr("the values of all archives together, with those from defaults and templates, have more than "
                        "64 MiB"));
  EXPECT_THAT(quick_fault("version: 1\ntemplates: {t: {}}\ndefaults: {exclude: " + long_text + "}\n" + few),
              HasSubstr("have more than 64 MiB"));
  EXPECT_THAT(quick_fault("version: 1\ntemplates: {t: {hooks: [{at: before, run: " + long_text + "}]}}\n" + few),
              HasSubstr("have more than 64 MiB"));
  ASSERT_EQ(::setenv("AA_TEST_LONG", std::string(100'000, 'a').c_str(), 1), 0);
  EXPECT_THAT(quick_fault("version: 1\nstate_dir: \"/" + repeated("${AA_TEST_LONG}", 50'000) + "\"\n"),
              HasSubstr("with its variables replaced, the text has more than 1 MiB"));
  ::unsetenv("AA_TEST_LONG");
  std::string row = "version: 1\ntemplates:\n  t0: {}\n";
  for (int i = 1; i < 10'000; ++i) row += "  t" + std::to_string(i) + ": {extends: t" + std::to_string(i - 1) + "}\n";
  EXPECT_THAT(quick_fault(row + "archives: {a: {extends: t9999, root: /r, destination: /d}}\n"),
              HasSubstr("more than 16 templates extend each other"));
}

TEST_F(HostileConfig, IsNoFileAtAll) {
  std::filesystem::create_directory(directory_ / "config.yaml");
  for (const char* file : {"/dev/zero", "/dev/null", "/dev/tty"})
    EXPECT_THROW(static_cast<void>(read_config({file, {}, false})), Error) << file;
  EXPECT_THROW(static_cast<void>(read_config({directory_ / "config.yaml", {}, false})), Error);
  std::filesystem::remove(directory_ / "config.yaml");
  test::write_file(directory_ / "config.yaml", "version: 1\n");
  std::filesystem::create_directory(directory_ / "archives.d");
  ASSERT_EQ(::mkfifo((directory_ / "archives.d/a.yaml").c_str(), 0600), 0);
  EXPECT_THAT(fault("version: 1\n"), HasSubstr("archives.d/a.yaml' is not a regular file"));
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
