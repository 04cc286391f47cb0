// The original's configuration as one of ours: what its files say, what becomes of it, and that it says the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>

#include <algorithm>
#include <sstream>

#include "application_fixture.hpp"
#include "autoarchive/base/error.hpp"
#include "config/config.hpp"
#include "import/archive_import.hpp"
#include "import/file_lists.hpp"
#include "import/original_import.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ImportTest : public ApplicationTest {
 protected:
  ImportTest() { environment_["HOME"] = directory_ / "home"; }

  void conf(const std::string& text) const { test::write_file(directory_ / "aa/aa.conf", text); }
  void spec(const std::string& name, const std::string& text) const {
    test::write_file(directory_ / ("aa/archive_specs/" + name + ".aa"), text);
  }
  /// A specification whose [Content] is complete.
  void archive(const std::string& name, const std::string& options = "") const {
    spec(name, "[Archive]\ndest-dir = " + destination() + "\n" + options +
                   "[Content]\npath = " + (directory_ / "root").native() + "\ninclude-files = .\nexclude-files =\n");
  }
  int import() { return run({"config", "import", directory_ / "aa"}); }
  /// The value of a key as `config show` has it, after importing and reading again.
  std::string value(const std::string& archive, const std::string& key) {
    const auto status = import();
    EXPECT_LE(status, 1) << err_;
    test::write_file(directory_ / "imported.yaml", out_);
    const auto config = read_config({directory_ / "imported.yaml", environment_, false});
    for (const auto& shown : show_archive(config.archives.at(archive))) {
      if (shown.key == key) return shown.value;
    }
    return "no such key";
  }
  std::string place(const std::string& file) const { return (directory_ / ("aa/" + file)).native(); }
};

TEST_F(ImportTest, MakesOneConfigurationThatPassesItsCheck) {
  conf("[General]\narchiver = tarxz\n[Archive]\nKeep-Old-Backups: yes\nnumber-of-old-backups = 3\n");
  archive("docs", "incremental = yes\ncompression-level = 4\n");
  archive("music");
  EXPECT_EQ(import(), 0) << err_;
  EXPECT_EQ(err_, "");
  configure(out_);
  EXPECT_EQ(run({"config", "check"}), 0) << err_;
  EXPECT_EQ(run({"config", "check", "--quiet"}), 0);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(value("docs", "type"), "tar.xz");
  EXPECT_EQ(value("docs", "strength"), "4");
  EXPECT_EQ(value("docs", "incremental"), "true");
  EXPECT_EQ(value("docs", "keep.generations"), "3");
  EXPECT_EQ(value("music", "incremental"), "false");
  EXPECT_EQ(run({"create", "--all"}), 0) << err_;
}

TEST_F(ImportTest, KnowsTheHomesOfTheUserAndOfOthers) {
  ImportSources sources;
  sources.home = "/home/me";
  sources.working_directory = "/here";
  EXPECT_EQ(absolute_path("~", sources), "/home/me");
  EXPECT_EQ(absolute_path("~//b/", sources), "/home/me/b");
  const auto* const root = ::getpwuid(0);
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(absolute_path("~" + std::string(root->pw_name) + "/b", sources), std::filesystem::path(root->pw_dir) / "b");
  EXPECT_EQ(absolute_path("~no such user/b", sources), "/here/~no such user/b");
  spec("docs", "[Archive]\ndest-dir = ~no-such-user/b\n[Content]\npath = /\ninclude-files = .\nexclude-files =\n");
  EXPECT_EQ(import(), 1);
  EXPECT_THAT(err_, HasSubstr("'~no-such-user/b' is relative to where aa was started"));
}

TEST_F(ImportTest, TakesTheRulesOnLevelsOnlyWhereTheyCounted) {
  const std::string rules =
      "incremental = 1\nrestart-after-level = 4\nrestart-after-age = 30\nfull-restart-after-age = 0\n"
      "full-restart-after-count = 2\nmax-restart-level-size = 70\n";
  archive("off", rules);
  archive("on", rules + "restarting = yes\n");
  archive("bare", "incremental = 1\nrestarting = 1\n");
  EXPECT_EQ(value("off", "levels.max"), "never");
  EXPECT_EQ(value("on", "levels.max"), "4");
  EXPECT_EQ(value("on", "levels.restart_after"), "30d");
  EXPECT_EQ(value("on", "levels.full_after"), "never");
  EXPECT_EQ(value("on", "levels.full_after_restarts"), "2");
  EXPECT_EQ(value("on", "levels.max_restart_size"), "70%");
  EXPECT_EQ(value("bare", "levels.max"), "10");
}

TEST_F(ImportTest, KnowsWhichOfSeveralValuesCounts) {
  conf("[Archive]\narchiver = tar\nforce-incremental = no\nrestarting = yes\n");
  archive("docs", "archiver = tarbz2\nincremental = yes\nrestarting =\n");
  EXPECT_EQ(value("docs", "type"), "tar.bz2");
  EXPECT_EQ(value("docs", "incremental"), "false");
}

TEST_F(ImportTest, SaysWithItsPlaceWhatCanNotBeTakenOver) {
  conf("[General]\nverbose = 1\nincremntal = yes\n");
  archive("docs",
          "archiver = tar\ncompression-level = 6\nverbose = 1\nnumber-of-old-backups = many\n"
          "keep-old-backups = 1\n");
  EXPECT_EQ(import(), 1);
  EXPECT_THAT(err_, HasSubstr("notice: " + place("aa.conf") + ":2:1: verbose is left out; say -v"));
  EXPECT_THAT(err_, HasSubstr("warning: " + place("aa.conf") +
                              ":3:1: unknown option 'incremntal'; did you mean incremental?; it is left out"));
  const auto spec = place("archive_specs/docs.aa");
  EXPECT_THAT(err_, HasSubstr("[docs] warning: " + spec + ":4:1: a tar has no compression-level; it is left out"));
  EXPECT_THAT(err_, HasSubstr(spec + ":5:1: option 'verbose' has no meaning in an archive's file"));
  EXPECT_THAT(err_, HasSubstr(spec + ":6:1: number-of-old-backups has to be an integer from 0 to "));
  EXPECT_THAT(out_, HasSubstr("# " + spec + ":4:1: a tar has no compression-level"));
  EXPECT_EQ(value("docs", "keep.generations"), "1");
}

TEST_F(ImportTest, LeavesOutAnArchiveThatCanNotBeReadAndTakesTheOthers) {
  archive("good");
  spec("nothing", "[Content]\npath = /x\n");
  spec("foreign", "[Contents]\npath = /x\n");
  spec("twice", "[Content]\npath = /x\npath = /y\n");
  spec("loose", "path = /x\n");
  spec("open", "[Content]\npath = /x\ninclude-files = \"a b\nexclude-files =\n");
  spec("type", "[Archive]\narchiver = rar\n[Content]\npath = /x\ninclude-files = .\n");
  spec("docs.2", "[Content]\npath = /x\ninclude-files = .\nexclude-files =\n");
  spec("empty_command", "[Archive]\ncommand-before-backup = \" \" '\n[Content]\npath = /x\ninclude-files = .\n");
  EXPECT_EQ(import(), 2);
  EXPECT_THAT(out_, HasSubstr("  good:\n"));
  EXPECT_THAT(out_, Not(HasSubstr("nothing")));
  EXPECT_THAT(err_, HasSubstr("nothing.aa:1:1: [Content] has no include-files"));
  EXPECT_THAT(err_, HasSubstr("foreign.aa:1:1: unknown section [Contents]"));
  EXPECT_THAT(err_, HasSubstr("twice.aa:3:1: option 'path' is there twice"));
  EXPECT_THAT(err_, HasSubstr("loose.aa:1:1: a section such as [Content] has to come first"));
  EXPECT_THAT(err_, HasSubstr("open.aa:3:1: a double quote is not closed"));
  EXPECT_THAT(err_, HasSubstr("type.aa:2:1: unknown archiver 'rar'"));
  EXPECT_THAT(err_, HasSubstr("docs.2.aa:1:1: archive name 'docs.2'"));
  EXPECT_THAT(err_, HasSubstr("empty_command.aa:2:1: a quote in the command is not closed"));
}

TEST_F(ImportTest, FollowsReferencesIntoOtherFiles) {
  spec("base",
       "[Archive]\nrestart-after-age = 30\n[Content]\npath = /srv\ninclude-files = a \"b c\"\nexclude-files = x\n");
  test::write_file(directory_ / "aa/elsewhere.aa",
                   "[External]\nbase\n[Content]\nmore = %(half)s @(base.exclude-files)\nhalf = 50%%\n");
  spec("docs",
       "[External]\nbase\nfar = ../elsewhere.aa\n[Archive]\nincremental = 1\nrestarting = 1\nrestart-after-age = "
       "@(base.restart-after-age)\ndest-dir = /d\n[Content]\npath = \"@(base.path)\"/docs\n"
       "include-files = @(base.include-files)\n  d\nexclude-files = @(far.more) a@b @(nothing)\n");
  EXPECT_EQ(value("docs", "root"), "/srv/docs");
  EXPECT_EQ(value("docs", "include"), "['a', 'b c', 'd']");
  EXPECT_EQ(value("docs", "exclude"), "['/50%', '/x', '/a@b', '/@(nothing)']");
  EXPECT_EQ(value("docs", "levels.restart_after"), "30d");
}

TEST_F(ImportTest, RefusesReferencesThatLeadNowhereOrInACircle) {
  const std::string end = "include-files = .\nexclude-files =\n";
  spec("undeclared", "[Content]\npath = @(base.path)\n" + end);
  spec("missing", "[External]\nbase\n[Content]\npath = @(base.path)\n" + end);
  spec("option", "[External]\nself = option.aa\n[Content]\npath = @(self.root)\n" + end);
  spec("circle", "[External]\nself = circle.aa\n[Content]\npath = @(self.path)\n" + end);
  spec("self", "[Content]\npath = %(path)s\n" + end);
  spec("percent", "[Content]\npath = /100%\n" + end);
  std::string bomb = "[External]\nself = bomb.aa\n[Content]\n" + end + "path = @(self.a0)\n";
  for (int i = 0; i < 30; ++i)
    bomb +=
        "a" + std::to_string(i) + " = @(self.a" + std::to_string(i + 1) + ")@(self.a" + std::to_string(i + 1) + ")\n";
  spec("bomb", bomb + "a30 =\n");
  EXPECT_EQ(import(), 2);
  EXPECT_THAT(err_, HasSubstr("undeclared.aa:2:1: reference to 'base', which section [External] does not name"));
  EXPECT_THAT(err_, HasSubstr("missing.aa:4:1: reference to 'base': configuration '" + place("archive_specs/base.aa") +
                              "': No such file"));
  EXPECT_THAT(err_, HasSubstr("option.aa:4:1: there is no option 'root' in [Content] of '"));
  EXPECT_THAT(err_, HasSubstr("circle.aa:4:1: references are nested more than 40 deep"));
  EXPECT_THAT(err_, HasSubstr("self.aa:2:1: references are nested more than 40 deep"));
  EXPECT_THAT(err_, HasSubstr("percent.aa:2:1: a \"%\" has to be \"%%\""));
  EXPECT_THAT(err_, HasSubstr("the value has more than 10000 references"));
}

TEST_F(ImportTest, TakesCommandsAsArgumentVectors) {
  conf("[General]\ncommand-before-all-backups = mount '/mnt/my disk'\ncommand-after-all-backups = umount /mnt\n");
  archive("docs", "command-before-backup = sh -c \"echo \\\"$HOME\\\" > /tmp/x\"\ncommand-after-backup = a\\ b ''\n");
  EXPECT_EQ(import(), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("hooks:\n  - {at: before_all, run: [mount, \"/mnt/my disk\"]}\n"
                              "  - {at: after_all, run: [umount, /mnt]}\n"));
  EXPECT_THAT(out_, HasSubstr("{at: before, run: [sh, \"-c\", \"echo \\\"$HOME\\\" > /tmp/x\"]}"));
  EXPECT_THAT(out_, HasSubstr("{at: after, run: [\"a b\", \"\"]}"));
}

TEST_F(ImportTest, FindsTheOriginalsFilesByItself) {
  const auto home = directory_ / "home";
  test::write_file(home / ".config/aa/aa.conf", "[General]\narchive-specs-dir = ~/specs\ndest-dir = ~/${x}\n");
  test::write_file(home / "specs/docs.aa", "[Content]\npath = ~\ninclude-files = .\nexclude-files =\nname = papers\n");
  ImportSources sources;
  sources.system_file = directory_ / "none";
  sources.home = home;
  sources.working_directory = "/work";
  const auto imported = import_original(sources);
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_THAT(imported.archives, ElementsAre("papers"));
  EXPECT_THAT(imported.yaml, HasSubstr("root: " + home.native() + "\n"));
  EXPECT_THAT(imported.yaml, HasSubstr("destination: \"" + home.native() + "/$${x}\"\n"));
  EXPECT_EQ(run({"config", "import", directory_ / "empty"}), 78);
  std::filesystem::create_directory(directory_ / "empty");
  EXPECT_EQ(run({"config", "import", directory_ / "empty"}), 66);
  EXPECT_THAT(err_, HasSubstr("there is no archive to import: no .aa file in "));
}

TEST_F(ImportTest, MakesRelativePlacesAbsoluteAndSaysSo) {
  spec("docs", "[Content]\npath = here\ninclude-files = .\nexclude-files =\n");
  EXPECT_EQ(import(), 1);
  const auto here = std::filesystem::current_path().native();
  EXPECT_THAT(err_,
              HasSubstr("docs.aa:2:1: 'here' is relative to where aa was started; it is taken as '" + here + "/here'"));
  EXPECT_THAT(err_, HasSubstr("docs.aa:1:1: there is no dest-dir, so that backups went to where aa was started"));
}

TEST_F(ImportTest, RefusesFilesThatAreNoText) {
  conf("[General]\nverbose = \x01\n");
  archive("docs");
  EXPECT_EQ(import(), 78);
  EXPECT_THAT(err_, HasSubstr("aa.conf:2:11: a control character"));
  conf("[Genral]\n");
  EXPECT_EQ(import(), 78);
  EXPECT_THAT(err_, HasSubstr("aa.conf:1:1: unknown section [Genral]; there are General and Archive"));
}

TEST_F(ImportTest, GivesOneDocumentWithEverythingAsJson) {
  archive("docs", "verbose = 1\n");
  EXPECT_EQ(run({"config", "import", "--json", directory_ / "aa"}), 1);
  EXPECT_THAT(out_, HasSubstr("\"archives\":[\"docs\"]"));
  EXPECT_THAT(out_, HasSubstr("\"configuration\":\"# Made by aa config import."));
  EXPECT_THAT(out_, HasSubstr("\"id\":\"import.differs\",\"archive\":\"docs\""));
}

TEST(FileLists, SplitsAtBlanksThatNoQuotesHold) {
  EXPECT_THAT(split_names(" a\t\"b c\"\n\"\" d\"e f\"g "), ElementsAre("a", "b c", "", "de fg"));
  EXPECT_THROW(static_cast<void>(split_names("a \"b")), Error);
}

TEST(FileLists, DropsWhatTheOriginalDrops) {
  EXPECT_THAT(translate_lists({"/a/", "../../b", "./c//d/../e", "a"}, {}).include, ElementsAre("a", "b", "c/e"));
  EXPECT_THAT(translate_lists({"."}, {"/"}).doubts, ElementsAre("'/': it would leave out everything"));
}

TEST(FileLists, IncludesTooMuchRatherThanTooLittle) {
  const auto deep = translate_lists({"a/*/b", "c"}, {});
  EXPECT_THAT(deep.include, ElementsAre("a", "c"));
  EXPECT_THAT(deep.doubts, ElementsAre(HasSubstr("'a/*/b': include has no wildcards")));
  const auto mixed = translate_lists({"*.txt", "x/y"}, {});
  EXPECT_THAT(mixed.include, ElementsAre("."));
  EXPECT_THAT(mixed.exclude, IsEmpty());
  EXPECT_THAT(mixed.doubts, ElementsAre(HasSubstr("'*.txt'")));
}

// A character is several bytes for gitignore, and its sets match a dot: rather too much than too little.
TEST(FileLists, TakeMoreWhereWildcardsWouldTakeLess) {
  for (const char* pattern : {"photo?.jpg", "x[\xc3\xa4\xc3\xb6]y", "[!x]*", "[^x]*"}) {
    const auto lists = translate_lists({pattern}, {});
    EXPECT_THAT(lists.include, ElementsAre(".")) << pattern;
    EXPECT_THAT(lists.exclude, IsEmpty()) << pattern;
    EXPECT_THAT(lists.doubts, ElementsAre(HasSubstr("all of '.' is included"))) << pattern;
  }
  for (const char* pattern : {"[!a]*", "[+-9]*", "x/[.b]", "[^a]"}) {
    const auto lists = translate_lists({"."}, {pattern});
    EXPECT_THAT(lists.exclude, IsEmpty()) << pattern;
    EXPECT_THAT(lists.doubts, ElementsAre(HasSubstr("nothing of it is left out"))) << pattern;
  }
}

/// What the original backs up, by its own words: the shell expands both lists, tar leaves out what lies below.
class ShellPatterns : public ImportTest, public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(ShellPatterns, ChooseTheSameFiles) {
  const auto root = directory_ / "tree";
  for (const char* file : {"a.txt", ".a.txt", ".txt", "b", "ab", "a b ", "x/a.txt", "x/.hidden", "x/sub/c.txt",
                           "y.d/a.txt", "y.d/.cache/f", "z/a/q", "z/b/q", "[odd]", "!not", "#no", "o"})
    test::write_file(root / file, "");
  const auto& [include, exclude] = GetParam();
  spec("p", std::string("[Archive]\ndest-dir = ") + destination() + "\n[Content]\npath = " + root.native() +
                "\ninclude-files = " + include + "\nexclude-files = " + exclude + "\n");
  EXPECT_EQ(import(), 0) << err_;
  configure(out_);
  ASSERT_EQ(run({"create", "p"}), 0) << err_;
  const auto ours = test::run_shell("tar tzf " + test::shell_quote(destination() + "/p.tar.gz") +
                                    " | grep -v '/$' | sed 's,^[.]/,,' | LC_ALL=C sort");
  const auto theirs = test::run_shell(
      "cd " + test::shell_quote(root) + " && shopt -s nullglob 2>/dev/null; bash -O nullglob -c 'find " + include +
      " -type f | sed \"s,^[.]/,,\" | LC_ALL=C sort -u > ../all; for e in " + exclude +
      "; do if [ -e \"$e\" ]; then find \"$e\" -type f; fi; done | LC_ALL=C sort -u > ../not; "
      "LC_ALL=C comm -23 ../all ../not'");
  EXPECT_EQ(ours.output, theirs.output);
  EXPECT_THAT(theirs.output, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(Lists, ShellPatterns,
                         ::testing::Values(std::pair(".", ""), std::pair("x b", ""), std::pair("*", ""),
                                           std::pair("*.txt b", ""), std::pair("x/* b", "x/a*"),
                                           std::pair("x/*.txt x/.hidden", ""), std::pair("[ab]* x", "x/a?txt"),
                                           std::pair(".", "*"), std::pair(".", "*.txt"), std::pair(".", "*/*.txt"),
                                           std::pair(".", "*/.cache"), std::pair(".", "x z/?"),
                                           std::pair("*", "*b \"a b \""), std::pair(".", "*a*"), std::pair(".", ".*"),
                                           std::pair(".", "\"!not\" \"#no\""), std::pair(".*", "")));

}  // namespace
}  // namespace autoarchive::host
